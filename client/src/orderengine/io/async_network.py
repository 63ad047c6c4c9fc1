"""The transport over the network, awaited."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from weakref import WeakSet

from orderengine.core.commands import Request, Response, SocketClosed, Unreachable
from orderengine.io.addresses import Addresses
from orderengine.io.libraries import (
    Progress,
    add_part,
    closed,
    headers_of,
    http_arguments,
    refuse_closed,
    refused,
    refusing_configuration,
    repeated,
    socket_arguments,
)

if TYPE_CHECKING:
    import httpx2
    from websockets.asyncio.client import ClientConnection


class AsyncNetworkSocket:
    """``AsyncSocket`` over the network."""

    def __init__(self, connection: "ClientConnection") -> None:
        self._connection = connection
        self.loop = asyncio.get_running_loop()

    async def receive(self, timeout: float) -> str | None:
        from websockets.exceptions import ConnectionClosed

        try:
            async with asyncio.timeout(max(0.0, timeout)):
                return await self._connection.recv(decode=True)
        except TimeoutError:
            return None
        except UnicodeDecodeError:
            raise SocketClosed(1007, "a frame is not text") from None
        except ConnectionClosed as error:
            raise closed(error) from None

    async def write(self, text: str) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise closed(error) from None

    async def close(self) -> None:
        await self._connection.close()


class AsyncNetworkTransport:
    """``AsyncTransport`` over the network."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._client: httpx2.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sockets: WeakSet[AsyncNetworkSocket] = WeakSet()
        self._is_closed = False

    async def send(self, request: Request, timeout: float) -> Response:
        import httpx2

        client, progress, body = self._connected(), Progress(), bytearray()
        arguments = http_arguments(self._addresses, request, timeout)
        try:
            async with (
                asyncio.timeout(timeout),
                client.stream(**arguments, extensions={"trace": progress.note_async}) as answer,
            ):
                async for part in answer.aiter_bytes():
                    add_part(body, part)
        except TimeoutError:
            raise Unreachable(f"no answer after {timeout:.1f} s", sent=progress.sent) from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unreachable(str(error) or type(error).__name__, sent=progress.sent) from error
        return Response(answer.status_code, headers_of(answer.headers.multi_items()), bytes(body))

    def _connected(self) -> "httpx2.AsyncClient":
        """:raises UsageError: if the client is closed, or the environment has a proxy that cannot be used."""
        import httpx2

        refuse_closed(self._is_closed)
        # Connections belong to the loop that opened them, and a second asyncio.run() has another one.
        if self._client is None or self._loop is not asyncio.get_running_loop():
            with refusing_configuration():
                self._client, self._loop = httpx2.AsyncClient(), asyncio.get_running_loop()
        return self._client

    async def open(
        self,
        path: str,
        query: tuple[tuple[str, str], ...],
        headers: Mapping[str, str],
        timeout: float,
    ) -> AsyncNetworkSocket:
        from websockets.asyncio.client import connect
        from websockets.datastructures import MultipleValuesError
        from websockets.exceptions import InvalidHandshake, InvalidStatus

        refuse_closed(self._is_closed)
        try:
            with refusing_configuration():
                # Awaited, connect makes one attempt; only as an iterator it would repeat it.
                connection = await connect(
                    self._addresses.of_socket(path, query), **socket_arguments(headers, timeout)
                )
        except InvalidStatus as error:
            raise refused(error) from None
        except MultipleValuesError as error:
            raise repeated(error) from error
        except (OSError, EOFError, InvalidHandshake) as error:
            raise Unreachable(str(error) or type(error).__name__, sent=False) from error
        socket = AsyncNetworkSocket(connection)
        self._sockets.add(socket)
        if self._is_closed:
            await socket.close()
        refuse_closed(self._is_closed)
        return socket

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def close(self) -> None:
        self._is_closed, loop = True, asyncio.get_running_loop()
        await asyncio.gather(*(one.close() for one in self._sockets if one.loop is loop))
        if self._client is not None and self._loop is loop:
            await self._client.aclose()
