"""The deadline of a stream, and the limits that it sets to each request."""

import math
from collections.abc import Callable
from typing import TypeVar

from orderengine import errors
from orderengine.core.commands import Flow, Monotonic, Sleep
from orderengine.core.session import Session

T = TypeVar("T")
#: What a request gets even if the stream has less time left.
_MIN_ATTEMPT_SECONDS = 0.5
#: How a request fails, as opposed to a socket.
FAILURES = (errors.ProblemError, errors.NotTheEngine, errors.Unreachable)


class TimeIsOver(Exception):
    """The deadline has passed. The public flows turn it into ``DeadlineExceeded``."""


class Deadline:
    """The time that a caller gives to a stream. It runs from ``begin`` on; without a timeout it never ends."""

    def __init__(self, timeout: float | None = None) -> None:
        """:raises InvalidArgument: for a timeout that is not a positive number of seconds."""
        if timeout is not None and (type(timeout) not in (int, float) or not timeout > 0):
            raise errors.InvalidArgument(f"timeout is {timeout!r}, and not a positive number of seconds")
        self._timeout = math.inf if timeout is None else timeout
        self._ends_at: float | None = None

    def begin(self) -> Flow[float]:
        """Start the clock, unless it runs already. The result is the present time."""
        now: float = yield Monotonic()
        if self._ends_at is None:
            self._ends_at = now + self._timeout
        return now

    def left(self, now: float) -> float:
        return self._timeout if self._ends_at is None else self._ends_at - now

    def now(self) -> Flow[float]:
        """:raises TimeIsOver: if no time is left."""
        now: float = yield Monotonic()
        if self.left(now) <= 0:
            raise TimeIsOver
        return now

    def sleep(self, seconds: float) -> Flow[None]:
        """:raises TimeIsOver: if no time is left before the pause."""
        now = yield from self.now()
        yield Sleep(min(seconds, self.left(now)))

    def attempt(self, session: Session, wait: int = 0) -> Flow[Session]:
        """The session for one request without retries, which may wait so many seconds for an event.

        :raises TimeIsOver: if no time is left.
        """
        now = yield from self.now()
        seconds = max(_MIN_ATTEMPT_SECONDS, self.left(now) - wait)
        return session.limited(retries=0, try_timeout=min(session.options.try_timeout, seconds))

    def call(self, session: Session, call: Callable[[Session], Flow[T]], min_retries: int = 0) -> Flow[T]:
        """The result of a call with retries.

        :raises TimeIsOver: if no time is left before or after it.
        """
        options, left = session.options, self.left((yield from self.now()))
        limited = session.limited(
            retries=max(options.retries, min_retries),
            timeout=min(options.timeout, left),
            try_timeout=min(options.try_timeout, left),
        )
        try:
            return (yield from call(limited))
        except FAILURES:
            yield from self.now()
            raise

    def exceeded(self, what: str, seq: int | None = None, status: str | None = None) -> errors.DeadlineExceeded:
        return errors.DeadlineExceeded(f"the time is over: {self._timeout} s for {what}", seq, status)
