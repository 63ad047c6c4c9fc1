"""A server on a local port that answers as its handler likes: in half, drop by drop, or not at all."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass
class RudeServer:
    """The address, and what came: the head of each request, and the number of connections."""

    url: str
    heads: list[str] = field(default_factory=list)
    connections: int = 0
    #: Set once a client has closed a connection that still awaited its answer.
    is_left: threading.Event = field(default_factory=threading.Event)


#: Answers the n-th request on its connection; if the result is False, the connection is closed.
Handler: TypeAlias = Callable[[socket.socket, int], bool]


@contextmanager
def rude_server(handler: Handler) -> Iterator[RudeServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RudeServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
        threading.Thread(target=_accept, args=(listener, handler, server), daemon=True).start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def reply(status: int, body: Any, *headers: str, length: int | None = None) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "text/html" if isinstance(body, bytes) else "application/json"
    size = len(content) if length is None else length
    lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}", f"content-length: {size}", *headers, "", ""]
    return "\r\n".join(lines).encode() + content


def _accept(listener: socket.socket, handler: Handler, server: RudeServer) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            server.connections += 1
            threading.Thread(target=_serve, args=(connection, handler, server), daemon=True).start()


def _serve(connection: socket.socket, handler: Handler, server: RudeServer) -> None:
    with connection, suppress(OSError):
        while head := _request(connection):
            server.heads.append(head)
            if not handler(connection, len(server.heads)):
                return
        server.is_left.set()


def _request(connection: socket.socket) -> str:
    """The head of the next request, whose body is read too; empty if the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (part := connection.recv(65536)):
            return ""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    missing = int(lengths[0].split(b":")[1]) - len(body) if lengths else 0
    while missing > 0:
        missing -= len(connection.recv(missing))
    return head.decode()
