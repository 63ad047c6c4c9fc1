"""Cuts sockets as API Gateway does: those on which nothing is said for a while, and all after some time.

The emulator's process imports this file, which must therefore not import this package.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
#: The close code of API Gateway: the server goes away.
_GOING_AWAY = 1001
#: How long a client may take to answer that its socket is closed.
_CLOSING_SECONDS = 10.0


class SocketLifetimes:
    """Ends a socket after ``idle_seconds`` without a message of either side, and after ``max_seconds`` in all.

    Source: "Quotas for configuring and running a WebSocket API", AWS: ten minutes and two hours. Control frames count
    as silence here: AWS does not document what they do.
    """

    NEEDED = ("handle_websocket",)

    def __init__(self, sockets: Any, idle_seconds: float, max_seconds: float) -> None:
        self._sockets = sockets
        self._handle = sockets.handle_websocket
        self._idle_seconds = idle_seconds
        self._max_seconds = max_seconds

    def install(self) -> None:
        self._sockets.handle_websocket = self.handle

    async def handle(self, scope: Any, receive: Receive, send: Send, *arguments: Any, **options: Any) -> None:
        now = asyncio.get_running_loop().time
        opened = heard = now()
        is_open = False

        async def sent(message: dict[str, Any]) -> None:
            nonlocal heard, is_open
            await send(message)
            heard = now()
            is_open = is_open or message["type"] == "websocket.accept"

        async def received() -> dict[str, Any]:
            nonlocal heard, is_open
            incoming = asyncio.ensure_future(receive())
            try:
                while True:
                    deadline = min(heard + self._idle_seconds, opened + self._max_seconds)
                    left = deadline - now()
                    if left <= 0:
                        await send({"type": "websocket.close", "code": _GOING_AWAY})
                        return {"type": "websocket.disconnect", "code": _GOING_AWAY}
                    await asyncio.wait({incoming}, timeout=left)
                    if incoming.done():
                        heard = now()
                        is_open = is_open and incoming.result()["type"] != "websocket.disconnect"
                        return incoming.result()
            finally:
                incoming.cancel()

        await self._handle(scope, received, sent, *arguments, **options)
        if is_open:
            await _read_to_the_end(receive)


async def _read_to_the_end(receive: Receive) -> None:
    """Read what the client sent before it answered the close.

    The server ends no connection while messages of it wait: a client that goes on sending would stay connected.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(_CLOSING_SECONDS):
            while (await receive())["type"] != "websocket.disconnect":
                pass
