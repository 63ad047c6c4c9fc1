"""A client of the emulator's own WebSocket API, without a network."""

import asyncio
from typing import Any

from infra.local.outboxes import Outboxes
from tests.support.emulator import emulator_module


class EmulatorSocket:
    """``gateway`` is a new copy of the emulator's module, with its outboxes.

    At most ``max_messages`` of the client wait for it; 0 is no limit.
    """

    def __init__(self, max_messages: int = 0) -> None:
        self.gateway = emulator_module("services.apigateway")
        self.gateway._api_owner = lambda _: ("WEBSOCKET", "000000000000", "us-east-1")
        self.gateway._match_ws_route = lambda *_: None
        Outboxes(self.gateway).install()
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue(max_messages)
        self.accepted = asyncio.Event()

    async def send(self, message: dict[str, Any]) -> None:
        """Take what the emulator sends."""
        if message["type"] == "websocket.accept":
            self.accepted.set()

    async def open(self) -> "asyncio.Task[None]":
        """Connect; return the emulator's side of the connection."""
        scope = {"path": "/api", "headers": [], "query_string": b"", "client": ("127.0.0.1", 1)}
        self.messages.put_nowait({"type": "websocket.connect"})
        session = asyncio.create_task(self.gateway.handle_websocket(scope, self.messages.get, self.send, "api"))
        await self.accepted.wait()
        return session

    async def push(self, text: str = "frame") -> int:
        """Push a frame, as the engine does; return the status of the answer."""
        (connection_id,) = self.gateway._ws_connections or ("gone",)
        answer = await self.gateway.handle_connections_api("POST", "api", "api", connection_id, text.encode(), {})
        return int(answer[0])
