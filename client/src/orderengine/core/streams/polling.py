"""A stream without a socket: polls that wait for an event, polls that do not, and the pauses between them."""

from orderengine import errors
from orderengine.core.commands import Flow, Monotonic, Random
from orderengine.core.streams import reconnects
from orderengine.core.streams.deadlines import FAILURES
from orderengine.core.streams.delivery import Delivery
from orderengine.core.streams.pacing import Pacer, asked_seconds
from orderengine.core.streams.source import Source
from orderengine.core.transience import is_final


class Polling:
    """Asks by HTTP for what comes next. Before the first contact with the engine, failures end it as they end a call.

    The socket part of a stream uses the same polls to check on its sockets.
    """

    def __init__(self, source: Source, delivery: Delivery, pacer: Pacer) -> None:
        self._source = source
        self._delivery = delivery
        self._pacer = pacer
        self._deadline = source.deadline
        self._began = 0.0
        #: Whether the engine has answered this stream.
        self.has_met = False
        #: The time of the last poll that worked, or of an audit.
        self.polled_at = 0.0

    def begin(self, now: float) -> None:
        self._began = self.polled_at = now

    def step(self) -> Flow[None]:
        """Poll once and pause. In a poll that waits, the engine itself keeps the pace."""
        now = yield from self._deadline.now()
        wait = self._pacer.wait_seconds(now, self._deadline.left(now)) if self._source.can_wait else 0
        handed = yield from self.poll(wait)
        if handed is None or self._source.is_terminal:
            return
        yield from self._delivery.announce()
        pause = self._pacer.next_poll((yield Random()), has_news=handed > 0)
        after = yield from self._deadline.now()
        # An engine that cannot let a request wait answers at once.
        if not wait or (not handed and after - now < wait / 2 + pause):
            yield from self._deadline.sleep(pause)

    def poll(self, wait: int) -> Flow[int | None]:
        """Ask once. The result is the number of updates handed out, ``None`` for a failure."""
        counters = self._source.session.counters
        if wait:
            counters.long_polls, self._delivery.transport = counters.long_polls + 1, reconnects.LONG_POLL
        else:
            counters.polls, self._delivery.transport = counters.polls + 1, reconnects.POLL
        try:
            yield from self._source.poll(wait)
        except FAILURES as error:
            yield from self._delivery.hand_out()
            yield from self.failed(error, wait)
            return None
        self.has_met = True
        self.polled_at = yield Monotonic()
        self._pacer.request_worked()
        return (yield from self._delivery.hand_out())

    def failed(self, error: errors.OrderEngineError, wait: int = 0) -> Flow[None]:
        """Pause after a failed request.

        :raises ProblemError: if the engine would refuse it again.
        :raises ProblemError, NotTheEngine, Unreachable: if the engine has not answered this stream yet, after as many
            attempts as a call makes.
        """
        has_too_many_waits = wait > 0 and getattr(error, "code", "") == "TOO_MANY_WAITS"
        if is_final(error) and not has_too_many_waits:
            raise error
        now = yield from self._deadline.now()
        if wait and self.has_met:
            # Too many requests wait, or a proxy cuts those that do.
            self._pacer.leave_waits(now)
            return
        self._pacer.request_failed()
        pause = self._pacer.request_pause((yield Random()), asked_seconds(error))
        if not self.has_met and self._is_hopeless(error, now + pause):
            raise error
        yield from self._deadline.sleep(pause)

    def _is_hopeless(self, error: errors.OrderEngineError, next_at: float) -> bool:
        """Whether a call would give up: another service answers, or the attempts or the time are used up."""
        options = self._source.session.options
        is_another = isinstance(error, errors.NotTheEngine) and error.status < 500
        return is_another or self._pacer.failures > options.retries or next_at - self._began >= options.timeout
