"""What waits to be sent to the emulator's sockets: a bounded number of frames, until the client is gone.

The emulator's process imports this file, which must therefore not import this package.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

#: Frames that wait for a client that does not read, beyond what the buffers of its connection hold.
MAX_WAITING_FRAMES = 100
#: API Gateway's answer if "the WebSocket client side buffer is full" (PostToConnection, API reference).
_FULL = (
    429,
    {"Content-Type": "application/json", "x-amzn-ErrorType": "LimitExceededException"},
    json.dumps({"message": "Too many messages wait for this connection"}).encode(),
)


class Outboxes:
    """Refuses frames for a socket whose outbox is full, and ends an outbox when its client disconnects.

    The emulator's outboxes have no limit. Each looks twice a second whether its socket is closed. A closed socket
    takes frames until then, and its ``$disconnect`` waits.
    """

    NEEDED = ("asyncio", "_ws_connections", "handle_websocket", "handle_connections_api")

    def __init__(self, sockets: Any) -> None:
        self._sockets = sockets
        self._handle = sockets.handle_websocket
        self._serve = sockets.handle_connections_api
        self._outbox: ContextVar[asyncio.Queue[str | None]] = ContextVar("outbox")

    def install(self) -> None:
        self._sockets.handle_websocket = self.handle
        self._sockets.handle_connections_api = self.serve
        # The emulator creates outboxes, and waits for frames with a time-out, by these names.
        self._sockets.asyncio = SimpleNamespace(**vars(asyncio) | {"Queue": self._open, "wait_for": _wait})

    async def handle(
        self, scope: Any, receive: Callable[[], Awaitable[dict[str, Any]]], *arguments: Any, **options: Any
    ) -> None:
        async def receive_until_the_end() -> dict[str, Any]:
            message = await receive()
            if message["type"] == "websocket.disconnect" and (outbox := self._outbox.get(None)):
                outbox.put_nowait(None)
            return message

        await self._handle(scope, receive_until_the_end, *arguments, **options)

    async def serve(self, method: str, api_id: str, stage: str, connection_id: str, *arguments: Any) -> Any:
        connection = self._sockets._ws_connections.get(connection_id)
        if method == "POST" and connection and connection["outbox"].qsize() >= MAX_WAITING_FRAMES:
            return _FULL
        return await self._serve(method, api_id, stage, connection_id, *arguments)

    def _open(self) -> "asyncio.Queue[str | None]":
        outbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._outbox.set(outbox)
        return outbox


async def _wait(frame: Awaitable[str | None], timeout: float) -> str | None:
    return await frame
