"""The emulator cuts a silent socket, and every socket after its time, as API Gateway does."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

import pytest
from ministack.services import apigateway

from infra.local.socket_lifetimes import SocketLifetimes
from tests.support.emulator_socket import EmulatorSocket

IDLE, LIFETIME = 600.0, 7200.0


def test_the_emulator_has_the_function_that_is_adapted() -> None:
    assert all(hasattr(apigateway, name) for name in SocketLifetimes.NEEDED)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while it has nothing to do, and then at once."""

    def __init__(self) -> None:
        selector = selectors.DefaultSelector()
        super().__init__(selector)
        self._now, self._select = 0.0, selector.select
        selector.select = self._skip  # type: ignore[method-assign]

    def time(self) -> float:
        return self._now

    def _skip(self, timeout: float | None = None) -> Any:
        self._now += timeout or 0
        return self._select(0)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(scenario)


class Socket(EmulatorSocket):
    """A client that answers the close, after what it is ``sending``."""

    def __init__(self) -> None:
        # The server hands over no more messages at a time.
        super().__init__(max_messages=10)
        SocketLifetimes(self.gateway, IDLE, LIFETIME).install()
        self.codes: list[int] = []
        self.sending: asyncio.Future[None] = asyncio.ensure_future(asyncio.sleep(0))

    async def send(self, message: dict[str, Any]) -> None:
        await super().send(message)
        if message["type"] == "websocket.close" and not self.codes:
            self.codes.append(message["code"])
            self.answering = asyncio.create_task(self.answer())

    async def say(self, times: int = 1) -> None:
        for _ in range(times):
            await self.messages.put({"type": "websocket.receive", "text": "{}"})

    async def answer(self) -> None:
        """Answer the close, after what the client is sending."""
        await self.sending
        await self.messages.put({"type": "websocket.disconnect"})


def test_a_silent_socket_is_cut_with_the_code_of_api_gateway_and_gone_at_once() -> None:
    async def scenario() -> None:
        socket = Socket()
        session = await socket.open()
        await asyncio.sleep(IDLE - 1)
        assert not session.done()
        await asyncio.sleep(2)
        assert session.done()
        assert socket.codes[0] == 1001
        assert await socket.push() == 410

    run(scenario())


@pytest.mark.parametrize("keep", [Socket.say, Socket.push])
def test_messages_of_either_side_keep_a_socket_until_its_time_is_over(keep: Any) -> None:
    async def scenario() -> None:
        socket = Socket()
        session = await socket.open()
        for _ in range(int(LIFETIME / IDLE) - 1):
            await asyncio.sleep(IDLE - 1)
            assert not session.done()
            await keep(socket)
        await asyncio.sleep(IDLE - 1)
        await keep(socket)
        assert not session.done()
        await asyncio.sleep(LIFETIME - asyncio.get_running_loop().time() + 1)
        assert session.done()
        assert socket.codes[0] == 1001

    run(scenario())


def test_a_client_that_leaves_first_is_not_cut() -> None:
    async def scenario() -> None:
        socket = Socket()
        session = await socket.open()
        socket.messages.put_nowait({"type": "websocket.disconnect"})
        await session
        assert 1001 not in socket.codes

    run(scenario())


def test_a_client_that_sends_on_is_read_until_it_answers_the_close() -> None:
    async def scenario() -> None:
        socket = Socket()
        session = await socket.open()
        await asyncio.sleep(0)
        (connection_id,) = socket.gateway._ws_connections
        socket.sending = asyncio.create_task(socket.say(times=99))
        await socket.gateway.handle_connections_api("DELETE", "api", "api", connection_id, b"", {})
        await session
        assert socket.answering.done()
        assert socket.messages.empty()

    run(scenario())
