"""What carries requests and sockets: replace it to test a bot without a network, or to go through a proxy."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from orderengine.core.commands import Request, Response


class Socket(Protocol):
    """An open WebSocket."""

    def receive(self, timeout: float) -> str | None:
        """The next message, or ``None`` after ``timeout`` seconds.

        :raises SocketClosed: once it has ended and all messages are read.
        """

    def write(self, text: str) -> None:
        """:raises SocketClosed: if it has ended."""

    def close(self) -> None:
        """Close it; closing one that has ended does nothing."""


class Transport(Protocol):
    """A connection to an engine, with the time that goes with it."""

    def send(self, request: Request, timeout: float) -> Response:
        """:raises Unreachable: if no answer comes within ``timeout`` seconds."""

    def open(
        self, path: str, query: tuple[tuple[str, str], ...], headers: Mapping[str, str], timeout: float
    ) -> Socket:
        """Open a socket.

        :raises Unreachable: if no handshake succeeds within ``timeout`` seconds.
        :raises HandshakeRefused: if the server answers without a socket.
        """

    def sleep(self, seconds: float) -> None: ...

    def monotonic(self) -> float: ...

    def now(self) -> datetime: ...

    def close(self) -> None: ...


class AsyncSocket(Protocol):
    """``Socket``, awaited."""

    async def receive(self, timeout: float) -> str | None: ...

    async def write(self, text: str) -> None: ...

    async def close(self) -> None: ...


class AsyncTransport(Protocol):
    """``Transport``, awaited."""

    async def send(self, request: Request, timeout: float) -> Response: ...

    async def open(
        self,
        path: str,
        query: tuple[tuple[str, str], ...],
        headers: Mapping[str, str],
        timeout: float,
    ) -> AsyncSocket: ...

    async def sleep(self, seconds: float) -> None: ...

    def monotonic(self) -> float: ...

    def now(self) -> datetime: ...

    async def close(self) -> None: ...
