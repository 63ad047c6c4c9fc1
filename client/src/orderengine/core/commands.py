"""What a flow asks of its driver.

A flow is a generator that yields commands and returns a result. Its driver carries each command out, blocking or
awaited, and sends the result back into the flow, or throws one of the exceptions of this module. So each rule of the
client is written once, for ``Client`` and ``AsyncClient``, and a test can drive it without a network or a clock.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from orderengine.core.exact_json import loads


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request, relative to the base address. The names of headers are in lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer. The names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """The body as JSON, with exact numbers.

        :raises ValueError: if it is no JSON.
        """
        return loads(self.body)


class Unreachable(Exception):
    """No answer came. ``sent`` is False if the server cannot have received the request."""

    def __init__(self, detail: str, *, sent: bool) -> None:
        super().__init__(detail)
        self.sent = sent


class HandshakeRefused(Exception):
    """The server answered a handshake with this HTTP response and no socket."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"HTTP {response.status}")
        self.response = response


class SocketClosed(Exception):
    """The socket has ended. ``code`` is its close code (RFC 6455, 7.4); 1006 if the connection broke."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


class FlowClosed(BaseException):
    """Thrown into a flow that is to end early, which may answer with commands that close its sockets.

    ``GeneratorExit`` does not serve: ``yield from`` turns it into ``close()``, after which a generator may not yield.
    """


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request. The result is its ``Response``.

    :raises Unreachable: if none comes within ``timeout`` seconds.
    """

    request: Request
    timeout: float


@dataclass(frozen=True, slots=True)
class Open:
    """Open a socket at a path of the engine. The result is a handle for the commands below.

    :raises Unreachable: if no handshake succeeds within ``timeout`` seconds.
    :raises HandshakeRefused: if the server answers without a socket.
    """

    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    timeout: float


@dataclass(frozen=True, slots=True)
class Receive:
    """Wait for a message. The result is its text, or ``None`` after ``timeout`` seconds.

    :raises SocketClosed: once the socket has ended and every message before that is read.
    """

    socket: Any
    timeout: float


@dataclass(frozen=True, slots=True)
class Write:
    """Send a message.

    :raises SocketClosed: if the socket has ended.
    """

    socket: Any
    text: str


@dataclass(frozen=True, slots=True)
class CloseSocket:
    """Close a socket; one that has ended is no error."""

    socket: Any


@dataclass(frozen=True, slots=True)
class Sleep:
    seconds: float


@dataclass(frozen=True, slots=True)
class Now:
    """The result is the UTC time of this machine's clock, which may be wrong."""


@dataclass(frozen=True, slots=True)
class Monotonic:
    """The result is a time in seconds that never goes back."""


@dataclass(frozen=True, slots=True)
class Random:
    """The result is a random number from 0 up to 1, for jitter."""


@dataclass(frozen=True, slots=True)
class Notify:
    """Call a function of the user, such as ``on_reconnect``. An exception of it ends the flow."""

    function: Any
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Deliver:
    """Hand a value to the iterator of a stream."""

    value: Any


Command: TypeAlias = Send | Open | Receive | Write | CloseSocket | Sleep | Now | Monotonic | Random | Notify | Deliver
T = TypeVar("T")
Flow: TypeAlias = Generator[Command, Any, T]
