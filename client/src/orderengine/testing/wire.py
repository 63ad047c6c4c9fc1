"""The connections of a server, so that it can break one off in the middle as a network does."""

import asyncio
from collections.abc import Mapping
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import get_local_addr, get_remote_addr

#: The open connections by the addresses of their two ends. A socket keeps the connection of its handshake.
_OPEN: dict[tuple[Any, Any], asyncio.Transport] = {}


class Http(H11Protocol):
    """HTTP of uvicorn, which notes its connections."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._ends = get_local_addr(transport), get_remote_addr(transport)
        _OPEN[self._ends] = transport
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        _OPEN.pop(self._ends, None)
        super().connection_lost(exc)


async def break_off(scope: Mapping[str, Any]) -> None:
    """Break the connection of a request or socket off, without a further byte."""
    ends = tuple(scope["server"]), tuple(scope["client"])
    if transport := _OPEN.pop(ends, None):
        transport.abort()
    # The server notices in its next turn, and then expects no answer.
    await asyncio.sleep(0)
