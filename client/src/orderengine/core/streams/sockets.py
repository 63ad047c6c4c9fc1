"""One open socket of a stream: its pings, and the watchdog that finds it unresponsive."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orderengine.core.calls import ticket
from orderengine.core.commands import Flow, Monotonic, Open, Random, Receive, SocketClosed, Write
from orderengine.core.exact_json import dumps
from orderengine.core.session import Session
from orderengine.core.streams.frames import BadFrame, Frame, read_frame

#: API Gateway ends a socket after ten minutes of silence, and after two hours.
SILENCE_SECONDS = 240.0
RENEWAL_SECONDS, RENEWAL_JITTER_SECONDS = 105 * 60.0, 600.0
#: A socket without an answer to a ping within this time is unresponsive.
PONG_SECONDS = 15.0
#: The engine sends the first frame within a fraction of a second.
FIRST_FRAME_SECONDS = 10.0
#: A caller may take its time between two updates, so a socket is judged after a wait of its own alone.
_GRACE_SECONDS = 1.0
#: The request id of pings: an engine that refuses one answers all the same.
PING_ID = "ping"


class SocketLost(Exception):
    """A socket has ended. ``code`` is ``None`` if the client gave it up."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(slots=True)
class StreamSocket:
    """An open socket, by the ``handle`` of its driver. ``is_live`` once the stream on it is up to date."""

    handle: Any
    opened_at: float
    renew_at: float
    heard_at: float
    has_heard: bool = False
    pinged_at: float | None = None
    is_live: bool = False
    #: The socket is silent: an audit by HTTP tells whether it withholds events.
    needs_audit: bool = False

    def receive(self, session: Session, limit: float) -> Flow[Frame | None]:
        """The next frame, or ``None`` after at most ``limit`` seconds.

        :raises SocketLost: if the socket has ended, is unresponsive, or brings what is no frame.
        """
        began: float = yield Monotonic()
        due = self._due()
        timeout = max(0.0, min(limit, max(due - began, _GRACE_SECONDS)))
        try:
            text: str | None = yield Receive(self.handle, timeout)
        except SocketClosed as closed:
            raise SocketLost(closed.code, closed.reason) from None
        now: float = yield Monotonic()
        if text is None:
            if now >= due and (began < due or timeout >= _GRACE_SECONDS):
                yield from self._ping(now)
            return None
        self.heard_at, self.has_heard, self.pinged_at = now, True, None
        try:
            return read_frame(text)
        except BadFrame as error:
            session.counters.bad_frames += 1
            raise SocketLost(None, str(error)) from None

    def _due(self) -> float:
        """The time by which a frame must come, or a ping is due."""
        if self.pinged_at is not None:
            return self.pinged_at + PONG_SECONDS
        return self.heard_at + SILENCE_SECONDS if self.has_heard else self.opened_at + FIRST_FRAME_SECONDS

    def _ping(self, now: float) -> Flow[None]:
        if self.pinged_at is not None:
            raise SocketLost(None, f"no frame within {PONG_SECONDS:.0f} s of a ping")
        self.pinged_at, self.needs_audit = now, True
        yield from self.write({"action": "ping", "requestId": PING_ID})

    def write(self, message: Mapping[str, Any]) -> Flow[None]:
        """:raises SocketLost: if the socket has ended."""
        try:
            yield Write(self.handle, dumps(message).decode())
        except SocketClosed as closed:
            raise SocketLost(closed.code, closed.reason) from None


def open_socket(session: Session, query: tuple[tuple[str, str], ...]) -> Flow[StreamSocket]:
    """Open a socket within the time of one attempt, with the key in a header, or with a ticket of its own.

    :raises Unreachable, HandshakeRefused: of ``commands``, if there is no socket.
    :raises ProblemError, NotTheEngine: if there is no ticket.
    """
    headers = session.headers
    if session.options.use_tickets and session.options.key:
        query, headers = (*query, ("token", (yield from ticket(session)).token)), {}
    handle = yield Open("/ws", query, headers, session.options.try_timeout)
    session.counters.sockets += 1
    now: float = yield Monotonic()
    jitter: float = yield Random()
    return StreamSocket(handle, now, now + RENEWAL_SECONDS + jitter * RENEWAL_JITTER_SECONDS, now)
