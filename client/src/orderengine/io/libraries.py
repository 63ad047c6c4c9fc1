"""What both network transports know of httpx2 and websockets."""

import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from orderengine.core.commands import HandshakeRefused, Request, Response, SocketClosed, Unreachable
from orderengine.errors import UsageError
from orderengine.io.addresses import Addresses

#: No frame and no answer of the engine comes near these sizes.
MAX_FRAME_BYTES = 1 << 20
MAX_ANSWER_BYTES = 16 << 20
CLOSE_SECONDS = 2.0


class Progress:
    """Whether a request began to leave this machine, by the trace of httpx2."""

    def __init__(self) -> None:
        self.sent = False

    def note(self, event: str, _info: Any) -> None:
        self.sent = self.sent or event.endswith("send_request_headers.started")

    async def note_async(self, event: str, info: Any) -> None:
        self.note(event, info)


def refuse_closed(is_closed: bool) -> None:
    """:raises UsageError: if the client is closed."""
    if is_closed:
        raise UsageError("this client is closed")


@contextmanager
def refusing_configuration() -> Iterator[None]:
    """:raises UsageError: for a host or a proxy of the environment that the libraries cannot use."""
    from httpx2 import InvalidURL
    from websockets.exceptions import InvalidProxy, InvalidURI

    try:
        yield
    except (InvalidURL, InvalidProxy, InvalidURI, ImportError, ValueError) as error:
        raise UsageError(f"no connection can be made with this address and these proxy settings: {error}") from error


def http_arguments(addresses: Addresses, request: Request, timeout: float) -> dict[str, Any]:
    return {
        "method": request.method,
        "url": addresses.http + request.path,
        "params": list(request.query) or None,
        "headers": dict(request.headers),
        "content": request.body,
        "timeout": timeout,
    }


def add_part(body: bytearray, part: bytes) -> None:
    """:raises Unreachable: if an answer is too large to be the engine's, before it fills the memory."""
    body += part
    if len(body) > MAX_ANSWER_BYTES:
        raise Unreachable(f"the answer is larger than {MAX_ANSWER_BYTES >> 20} MB", sent=True)


def socket_arguments(headers: Mapping[str, str], timeout: float) -> dict[str, Any]:
    # The flows send pings of the contract, which keep API Gateway's idle timer from running out; those of the
    # protocol do not.
    return {
        "open_timeout": timeout,
        "close_timeout": CLOSE_SECONDS,
        "ping_interval": None,
        "max_size": MAX_FRAME_BYTES,
        "additional_headers": dict(headers),
    }


def seconds_per_address(host: str, port: int, timeout: float) -> float:
    """What each address of a host gets: ``socket.create_connection`` gives the whole time to one after another."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        # The connection fails for the same reason, and says so.
        return timeout
    return timeout / max(1, len(found))


def headers_of(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The header fields by their names in lower case. The values of a repeated field are joined (RFC 9110, 5.3)."""
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name.lower(), []).append(value)
    return {name: ", ".join(found) for name, found in values.items()}


def refused(error: Any) -> HandshakeRefused:
    """A handshake of websockets that got an HTTP answer."""
    answer = error.response
    headers = headers_of(answer.headers.raw_items())
    return HandshakeRefused(Response(answer.status_code, headers, bytes(answer.body or b"")))


def repeated(error: Exception) -> Unreachable:
    """A handshake that websockets does not understand, because it reads a header that the answer has twice."""
    return Unreachable(f"the answer to the handshake has more than one header {error}", sent=False)


def closed(error: Any) -> SocketClosed:
    """A closed connection of websockets, with the code of the server's close frame."""
    return (
        SocketClosed(error.rcvd.code, error.rcvd.reason) if error.rcvd else SocketClosed(1006, "the connection broke")
    )
