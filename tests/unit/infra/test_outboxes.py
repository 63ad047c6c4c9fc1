"""The emulator refuses frames for a client that does not read, and forgets one that disconnects."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ministack.services import apigateway

from infra.local.outboxes import MAX_WAITING_FRAMES, Outboxes
from tests.support.emulator import emulator_module


def test_the_emulator_has_the_functions_that_are_adapted() -> None:
    assert all(hasattr(apigateway, name) for name in Outboxes.NEEDED)


class Socket:
    """A client of the emulator's own WebSocket API; it reads while ``reads`` is set."""

    def __init__(self) -> None:
        self.gateway = emulator_module("services.apigateway")
        self.gateway._api_owner = lambda _: ("WEBSOCKET", "000000000000", "us-east-1")
        self.gateway._match_ws_route = lambda *_: None
        Outboxes(self.gateway).install()
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.accepted, self.reads = asyncio.Event(), asyncio.Event()
        self.frames: asyncio.Queue[str] = asyncio.Queue()

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.accept":
            self.accepted.set()
        elif message["type"] == "websocket.send":
            await self.reads.wait()
            self.frames.put_nowait(message["text"])

    async def push(self, text: str) -> int:
        (connection_id,) = self.gateway._ws_connections or ("gone",)
        answer = await self.gateway.handle_connections_api("POST", "api", "api", connection_id, text.encode(), {})
        return int(answer[0])

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["asyncio.Task[None]"]:
        scope = {"path": "/api", "headers": [], "query_string": b"", "client": ("127.0.0.1", 1)}
        self.messages.put_nowait({"type": "websocket.connect"})
        session = asyncio.create_task(self.gateway.handle_websocket(scope, self.messages.get, self.send, "api"))
        await asyncio.wait_for(self.accepted.wait(), 10)
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
