"""Which transport a stream uses next, and how long it pauses, so that many clients make no storm of reconnects.

A stream uses a socket; without one, polls that wait for an event; where these are cut too, polls that do not.
"""

from dataclasses import dataclass

from orderengine.core.transience import full_jitter
from orderengine.errors import OrderEngineError

#: The base and cap of the full jitter after failures.
BASE_SECONDS, CAP_SECONDS = 0.1, 20.0
#: The pause after a socket is random up to this at least: a restart of the engine ends the sockets of all clients.
SPREAD_SECONDS = 2.0
#: The longest pause that the engine can ask a stream for.
MAX_ASKED_SECONDS = 300.0
#: A socket that lives this long is healthy, and the failures before it are forgotten.
HEALTHY_SECONDS = 60.0
#: After so many short-lived sockets in a row, the stream does without for a while.
MAX_SHORT_LIVED = 3
#: How long a stream does without a socket, or without waits, before it tries again.
DETOUR_SECONDS = 300.0
#: The most that the engine lets a request wait.
WAIT_SECONDS = 20
MIN_POLL_SECONDS, MAX_POLL_SECONDS, POLL_FACTOR = 0.5, 5.0, 1.5


def clamped(seconds: float) -> float:
    """The pause that the engine asks for, from 0 to ``MAX_ASKED_SECONDS``, however large the number."""
    return float(min(max(0, seconds), MAX_ASKED_SECONDS))


def asked_seconds(error: OrderEngineError) -> float:
    """The pause that a failed request asks for, or 0."""
    return clamped(getattr(error, "retry_after", None) or 0)


@dataclass(slots=True)
class Pacer:
    """The state of one stream. Times are those of a monotonic clock, in seconds."""

    #: Failures in a row, for the pause.
    failures: int = 0
    #: Short-lived or refused sockets in a row, of which a few end the use of sockets for a while.
    short_lived: int = 0
    no_socket_until: float = float("-inf")
    no_wait_until: float = float("-inf")
    poll_seconds: float = MIN_POLL_SECONDS

    def may_open(self, now: float) -> bool:
        return now >= self.no_socket_until

    def socket_ended(self, now: float, lived: float) -> None:
        if lived >= HEALTHY_SECONDS:
            self.failures = self.short_lived = 0
        else:
            self.socket_failed(now)

    def socket_failed(self, now: float) -> None:
        """A socket failed although the engine answers: a proxy may not let sockets through."""
        self.failures += 1
        self.short_lived += 1
        if self.short_lived >= MAX_SHORT_LIVED:
            self.leave_sockets(now)

    def leave_sockets(self, now: float) -> None:
        self.no_socket_until = now + DETOUR_SECONDS
        # One failure of the next socket is enough to leave it again.
        self.short_lived = MAX_SHORT_LIVED - 1

    def leave_waits(self, now: float) -> None:
        self.no_wait_until = now + DETOUR_SECONDS

    def wait_seconds(self, now: float, left: float) -> int:
        """How long a request may wait now, given the seconds left for the stream."""
        return 0 if now < self.no_wait_until else int(min(WAIT_SECONDS, left))

    def request_worked(self) -> None:
        self.failures = 0

    def request_failed(self) -> None:
        """The engine does not answer at all, which says nothing about sockets."""
        self.failures += 1
        self.short_lived = 0

    def request_pause(self, random: float, asked: float = 0.0) -> float:
        """The pause after a failed request or handshake; at least as long as the engine asks for."""
        return asked + full_jitter(random, self.failures, BASE_SECONDS, CAP_SECONDS)

    def socket_pause(self, random: float, asked: float = 0.0) -> float:
        """The pause before the next socket after one has ended."""
        return asked + max(random * SPREAD_SECONDS, self.request_pause(random))

    def next_poll(self, random: float, *, has_news: bool) -> float:
        """The pause before the next poll, which grows while there is no news, give or take a half."""
        if has_news:
            self.poll_seconds = MIN_POLL_SECONDS
        pause, self.poll_seconds = self.poll_seconds, min(MAX_POLL_SECONDS, self.poll_seconds * POLL_FACTOR)
        return pause * (0.5 + random)
