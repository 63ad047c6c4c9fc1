"""A proxy between clients and the engine: the faults of calls, and sockets that are cut and bring frames twice."""

import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import closing, suppress

from tests.faults.proxy import FaultProxy, Handler, Rule

_CONNECT_SECONDS = 5
_TEXT_FRAME = 0x81
#: Closing with this option resets the connection, as a proxy does that dies.
_RESET = struct.pack("ii", 1, 0)


class ClientProxy(FaultProxy):
    """Cuts each socket at a random moment, after a few seconds or amid one of its first frames.

    ``served`` counts the handshakes and calls. Some frames arrive twice, or not at all.
    """

    mean_life_seconds: float = 3
    mean_frames: float = 4
    double_share: float = 0.1
    drop_share: float = 0.03
    served: int = 0
    cuts: int = 0
    doubled_frames: int = 0
    dropped_frames: int = 0

    def copies(self) -> int:
        """How often the next frame arrives."""
        draw = self.random.random()
        is_dropped, is_doubled = draw < self.drop_share, draw > 1 - self.double_share
        self.dropped_frames += is_dropped
        self.doubled_frames += is_doubled
        return 1 - is_dropped + is_doubled

    def harm_to(self, operation: str) -> Rule | None:
        self.served += 1
        return super().harm_to(operation)

    def handler(self) -> type[Handler]:
        return _ClientHandler


class _ClientHandler(Handler):
    """A connection that may become a WebSocket."""

    def do_GET(self) -> None:  # noqa: N802
        if self.headers.get("upgrade", "").lower() == "websocket":
            self.close_connection = True
            with suppress(OSError):
                self._relay(self.server.proxy)  # type: ignore[attr-defined]
        else:
            self._any()

    def _relay(self, proxy: ClientProxy) -> None:
        host, _, port = proxy.upstream.rpartition(":")
        with closing(socket.create_connection((host, int(port)), _CONNECT_SECONDS)) as upstream:
            upstream.settimeout(None)
            upstream.sendall(self._handshake(proxy.upstream))
            proxy.served += 1
            if _relay_until_cut(self.connection, upstream, proxy):
                proxy.cuts += 1
                if proxy.random.random() < 0.5:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    def _handshake(self, upstream: str) -> bytes:
        """The handshake without extensions, so that frames are readable and can be doubled."""
        left_out = ("host", "sec-websocket-extensions")
        lines = [f"{name}: {value}" for name, value in self.headers.items() if name.lower() not in left_out]
        return "\r\n".join([self.requestline, f"Host: {upstream}", *lines, "", ""]).encode("latin-1")


def _relay_until_cut(client: socket.socket, upstream: socket.socket, proxy: ClientProxy) -> bool:
    """Relay both ways until a side closes, or until the random moment of the cut; returns whether it was cut."""
    downstream = _Downstream(client, proxy)
    while not downstream.is_over:
        for ready in select.select([client, upstream], [], [], 0.2)[0]:
            data = ready.recv(65536)
            if not data:
                return False
            if ready is client:
                upstream.sendall(data)
            else:
                downstream.send(data)
    return True


class _Downstream:
    """What the engine sends to a client: the answer to the handshake, then frames."""

    def __init__(self, client: socket.socket, proxy: ClientProxy) -> None:
        self._client = client
        self._proxy = proxy
        self._buffer = bytearray()
        self._is_open: bool | None = None
        self._frames_left = proxy.random.expovariate(1 / proxy.mean_frames)
        self._ends_at = float("inf")

    @property
    def is_over(self) -> bool:
        return self._frames_left < 0 or time.monotonic() > self._ends_at

    def send(self, data: bytes) -> None:
        self._buffer += data
        if self._is_open is None and not self._take_head():
            return
        if not self._is_open:
            self._client.sendall(self._buffer)
            self._buffer.clear()
        for frame in taken_frames(self._buffer):
            self._frames_left -= 1
            if self.is_over:
                self._client.sendall(frame[: len(frame) // 2])
                return
            self._client.sendall(frame * (self._proxy.copies() if frame[0] == _TEXT_FRAME else 1))

    def _take_head(self) -> bool:
        """Pass on the head of the answer to the handshake once it is complete. A refusal has a body and no frames."""
        head, separator, _ = self._buffer.partition(b"\r\n\r\n")
        if separator:
            self._is_open = head.split(b" ", 2)[1] == b"101"
            self._ends_at = time.monotonic() + self._proxy.random.expovariate(1 / self._proxy.mean_life_seconds)
            self._client.sendall(head + separator)
            del self._buffer[: len(head) + len(separator)]
        return bool(separator)


def taken_frames(buffer: bytearray) -> Iterator[bytes]:
    """Take the complete frames out of a buffer. A server masks none (RFC 6455, 5.1)."""
    while len(buffer) >= 2:
        length, start = buffer[1] & 0x7F, 2
        if length >= 126:
            start = 4 if length == 126 else 10
            length = int.from_bytes(buffer[2:start], "big")
        if len(buffer) < start + length:
            return
        yield bytes(buffer[: start + length])
        del buffer[: start + length]
