"""The client's transports into a deployment in this process: a wait for an answer or a frame skips virtual time."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from orderengine.core.commands import Request, Response, SocketClosed, Unreachable
from orderengine.testing.driver import Driver
from orderengine.testing.line import GATEWAY_SECONDS, Line
from orderengine.testing.sockets import Mailbox


class _Clock:
    def __init__(self, driver: Driver, line: Line) -> None:
        self._driver = driver
        self._line = line

    def monotonic(self) -> float:
        return self._driver.deployment.clock.now_ms() / 1000

    def now(self) -> datetime:
        return self._driver.deployment.clock.now()


def _check_patience(is_done: bool, timeout: float) -> None:
    """:raises Unreachable: if the client gives up before the gateway does."""
    if not is_done and timeout < GATEWAY_SECONDS:
        raise Unreachable(f"no answer within {timeout:g} s", sent=True)


class KitTransport(_Clock):
    """``Transport`` of the client. Timeouts are in seconds of virtual time."""

    def send(self, request: Request, timeout: float) -> Response:
        """:raises Unreachable: if no answer comes within ``timeout``, or it gets lost."""
        driver = self._driver
        answered = driver.call(partial(self._line.request, request))
        is_done = driver.wait(answered.done, min(timeout, GATEWAY_SECONDS))
        _check_patience(is_done, timeout)
        return driver.call(partial(self._line.answer_of, answered))

    def open(
        self, path: str, query: tuple[tuple[str, str], ...], headers: Mapping[str, str], timeout: float
    ) -> "KitSocket":
        """:raises HandshakeRefused: if the engine refuses the socket.
        :raises Unreachable: if it does not answer within ``timeout``.
        """
        driver = self._driver
        opened = driver.call(partial(self._line.open, path, query, headers))
        is_done = driver.wait(opened.done, min(timeout, GATEWAY_SECONDS))
        _check_patience(is_done, timeout)
        return KitSocket(driver, self._line, driver.call(partial(self._line.socket_of, opened)))

    def sleep(self, seconds: float) -> None:
        self._driver.wait(lambda: False, seconds)

    def close(self) -> None:
        """Nothing is kept open between two requests."""


class _End:
    def __init__(self, driver: Driver, line: Line, mailbox: Mailbox) -> None:
        self._driver = driver
        self._line = line
        self._mailbox = mailbox

    def _has_news(self) -> bool:
        return bool(self._mailbox.frames or self._mailbox.closed)

    def _take(self) -> str | None:
        if self._mailbox.frames:
            return self._mailbox.frames.popleft()
        if self._mailbox.closed:
            raise SocketClosed(*self._mailbox.closed)
        return None

    def _write(self, text: str) -> None:
        self._driver.call(partial(self._line.write, self._mailbox, text))

    def _close(self) -> None:
        self._driver.call(partial(self._line.close, self._mailbox))


class KitSocket(_End):
    """The client's end of a socket."""

    def receive(self, timeout: float) -> str | None:
        """The next frame; ``None`` if none comes within ``timeout``.

        :raises SocketClosed: with the code, if the socket is closed.
        """
        self._driver.wait(self._has_news, timeout)
        return self._take()

    def write(self, text: str) -> None:
        """:raises SocketClosed: with the code, if the socket is closed."""
        self._write(text)

    def close(self) -> None:
        self._close()


class AsyncKitTransport(_Clock):
    """``KitTransport`` for tasks of an event loop, whose other tasks go on while one of them waits."""

    async def send(self, request: Request, timeout: float) -> Response:
        """:raises Unreachable: if no answer comes within ``timeout``, or it gets lost."""
        driver = self._driver
        answered = driver.call(partial(self._line.request, request))
        is_done = await driver.wait_async(answered.done, min(timeout, GATEWAY_SECONDS))
        _check_patience(is_done, timeout)
        return driver.call(partial(self._line.answer_of, answered))

    async def open(
        self, path: str, query: tuple[tuple[str, str], ...], headers: Mapping[str, str], timeout: float
    ) -> "AsyncKitSocket":
        """:raises HandshakeRefused: if the engine refuses the socket.
        :raises Unreachable: if it does not answer within ``timeout``.
        """
        driver = self._driver
        opened = driver.call(partial(self._line.open, path, query, headers))
        is_done = await driver.wait_async(opened.done, min(timeout, GATEWAY_SECONDS))
        _check_patience(is_done, timeout)
        return AsyncKitSocket(driver, self._line, driver.call(partial(self._line.socket_of, opened)))

    async def sleep(self, seconds: float) -> None:
        await self._driver.wait_async(lambda: False, seconds)

    async def close(self) -> None:
        """Nothing is kept open between two requests."""


class AsyncKitSocket(_End):
    """The client's end of a socket."""

    async def receive(self, timeout: float) -> str | None:
        """The next frame; ``None`` if none comes within ``timeout``.

        :raises SocketClosed: with the code, if the socket is closed.
        """
        await self._driver.wait_async(self._has_news, timeout)
        return self._take()

    async def write(self, text: str) -> None:
        """:raises SocketClosed: with the code, if the socket is closed."""
        self._write(text)

    async def close(self) -> None:
        self._close()
