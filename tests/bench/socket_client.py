"""A small WebSocket client: a library's costs a core more than the stack's two can spare at a thousand sockets."""

import asyncio
import base64
import json
import os
import socket
import struct
import time
from collections import defaultdict
from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.bench.errors import BenchError

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_FINAL = 0x80
_MASKED = 0x80
_NO_MASK = bytes(4)
_TINY_BUFFER_BYTES = 1024
#: ``SO_LINGER`` with no time: a close then sends RST.
_RESET = struct.pack("ii", 1, 0)


class Arrival(Enum):
    """How an update came: once more, or before an earlier one of its order."""

    NEW = "new"
    DOUBLED = "doubled"
    EARLY = "early"


class Update(NamedTuple):
    """An ``ORDER_UPDATE``, and when it came on the system's monotonic clock."""

    came: float
    order_id: str
    seq: int
    status: str


class SocketClient(asyncio.Protocol):
    """One socket, and every update that it has received."""

    def __init__(self, url: str, on_update: Callable[[Update, Arrival], None]) -> None:
        self._url = urlsplit(url)
        self._on_update = on_update
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        #: A user's stream begins with the latest update of an order, an order's stream with the first.
        self._begins_late = "userId=" in url
        self._seen: defaultdict[str, set[int]] = defaultdict(set)
        self._highest: defaultdict[str, int] = defaultdict(int)
        loop = asyncio.get_running_loop()
        self.began = time.monotonic()
        self.opened: asyncio.Future[float] = loop.create_future()
        self.first: asyncio.Future[tuple[float, dict[str, Any]]] = loop.create_future()
        self.updates: list[Update] = []
        self.replies = 0
        self.is_closed = False
        #: The texts of the updates, if they are kept.
        self.texts: list[str] | None = None

    async def connect(self, *, deaf: bool = False) -> None:
        """Begin the handshake; ``opened`` has its end. A deaf socket never reads after it."""
        host, port = self._url.hostname or "", self._url.port or 80
        loop = asyncio.get_running_loop()
        connection = socket.socket()
        connection.setblocking(False)
        if deaf:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _TINY_BUFFER_BYTES)
            self.opened.add_done_callback(lambda _: self._stop_reading())
        self.began = time.monotonic()
        await loop.sock_connect(connection, (socket.gethostbyname(host), port))
        await loop.create_connection(lambda: self, sock=connection)

    def say(self, text: str) -> None:
        self._send(_TEXT, text.encode())

    def close(self) -> None:
        if self._transport and not self.is_closed:
            self._send(_CLOSE, b"")
            self._transport.close()

    def vanish(self) -> None:
        """Send half a frame, and reset the connection."""
        if self._transport is None or self.is_closed:
            return
        self._transport.write(bytes([_FINAL | _TEXT, _MASKED | 100]) + _NO_MASK + b"half a ")
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def _stop_reading(self) -> None:
        if self._transport:
            self._transport.pause_reading()

    # --- the protocol -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        target = f"{self._url.path or '/'}?{self._url.query}" if self._url.query else self._url.path
        transport.write(
            f"GET {target} HTTP/1.1\r\nHost: {self._url.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        came = time.monotonic()
        self._buffer += data
        if not self.opened.done():
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head, self._buffer = bytes(self._buffer[:end]), self._buffer[end + 4 :]
            if b" 101 " not in head.partition(b"\r\n")[0]:
                self._fail(head.decode(errors="replace"))
                return
            self.opened.set_result(came)
        while frame := self._next():
            self._take(*frame, came)

    def connection_lost(self, _: Exception | None) -> None:
        self.is_closed = True
        self._fail("the connection was closed")

    def _fail(self, reason: str) -> None:
        for waiting in (self.opened, self.first):
            if not waiting.done():
                waiting.set_exception(BenchError(f"a socket failed: {reason}"))
                # Nobody may wait for it.
                waiting.exception()

    def _send(self, opcode: int, payload: bytes) -> None:
        assert self._transport
        size = bytes([_MASKED | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack("!H", len(payload))
        # A mask of zeros leaves the payload as it is.
        self._transport.write(bytes([_FINAL | opcode]) + size + _NO_MASK + payload)

    def _next(self) -> tuple[int, bytes] | None:
        """The next complete frame as opcode and payload."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, begin = buffer[1] & 0x7F, 2
        if size >= 126:
            form, begin = ("!H", 4) if size == 126 else ("!Q", 10)
            if len(buffer) < begin:
                return None
            (size,) = struct.unpack_from(form, buffer, 2)
        if len(buffer) < begin + size:
            return None
        opcode, payload = buffer[0] & 0x0F, bytes(buffer[begin : begin + size])
        del buffer[: begin + size]
        return opcode, payload

    def _take(self, opcode: int, payload: bytes, came: float) -> None:
        if opcode == _PING:
            self._send(_PONG, payload)
        if opcode != _TEXT:
            return
        frame = json.loads(payload)
        if not self.first.done():
            self.first.set_result((came, frame))
        if frame["type"] != "ORDER_UPDATE":
            self.replies += frame["type"] != "live"
            return
        update = Update(came, frame["orderId"], frame["seq"], frame["status"])
        self.updates.append(update)
        if self.texts is not None:
            self.texts.append(payload.decode())
        self._on_update(update, self._kind(update))

    def _kind(self, update: Update) -> Arrival:
        order_id, seq = update.order_id, update.seq
        seen = self._seen[order_id]
        if not seen and self._begins_late:
            self._highest[order_id] = seq - 1
        is_early = seq > self._highest[order_id] + 1
        self._highest[order_id] = max(self._highest[order_id], seq)
        if seq in seen:
            return Arrival.DOUBLED
        seen.add(seq)
        return Arrival.EARLY if is_early else Arrival.NEW
