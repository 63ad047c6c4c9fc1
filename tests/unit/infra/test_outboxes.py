"""The emulator refuses frames for a client that does not read, and forgets one that disconnects."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ministack.services import apigateway

from infra.local.outboxes import MAX_WAITING_FRAMES, Outboxes
from tests.support.emulator_socket import EmulatorSocket


def test_the_emulator_has_the_functions_that_are_adapted() -> None:
    assert all(hasattr(apigateway, name) for name in Outboxes.NEEDED)


class Socket(EmulatorSocket):
    """A client that reads while ``reads`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = asyncio.Event()
        self.frames: asyncio.Queue[str] = asyncio.Queue()

    async def send(self, message: dict[str, Any]) -> None:
        await super().send(message)
        if message["type"] == "websocket.send":
            await self.reads.wait()
            self.frames.put_nowait(message["text"])

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["asyncio.Task[None]"]:
        session = await asyncio.wait_for(self.open(), 10)
        await asyncio.sleep(0)
        yield session
        self.reads.set()
        self.messages.put_nowait({"type": "websocket.disconnect"})
        await asyncio.wait_for(session, 10)


def test_a_client_that_does_not_read_is_refused_further_frames_until_it_reads() -> None:
    async def scenario() -> None:
        socket = Socket()
        async with socket.opened():
            taken = 0
            while (status := await socket.push(str(taken))) == 200:
                taken += 1
            assert status == 429
            # The emulator is sending one frame, which no longer waits.
            assert taken in (MAX_WAITING_FRAMES, MAX_WAITING_FRAMES + 1)
            socket.reads.set()
            assert [await socket.frames.get() for _ in range(taken)] == [str(number) for number in range(taken)]
            assert await socket.push("more") == 200

    asyncio.run(scenario())


def test_a_client_that_disconnects_is_gone_at_once() -> None:
    async def scenario() -> None:
        socket = Socket()
        async with socket.opened() as session:
            socket.messages.put_nowait({"type": "websocket.disconnect"})
            # Less than the half second after which the emulator's outbox would look.
            await asyncio.wait_for(session, 0.3)
            assert await socket.push("late") == 410

    asyncio.run(scenario())


def test_an_outbox_ends_when_the_server_closes_its_socket() -> None:
    async def scenario() -> None:
        socket = Socket()
        async with socket.opened() as session:
            (connection_id,) = socket.gateway._ws_connections
            await socket.gateway.handle_connections_api("DELETE", "api", "api", connection_id, b"", {})
            await asyncio.wait_for(session, 0.3)

    asyncio.run(scenario())
