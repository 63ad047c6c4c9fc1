"""Watching one order to its end."""

from dataclasses import replace

from orderengine.core import calls
from orderengine.core.commands import Flow
from orderengine.core.orders import events_after
from orderengine.core.session import Session
from orderengine.core.streams.deadlines import Deadline
from orderengine.core.streams.frames import Live
from orderengine.core.streams.resume import Resume
from orderengine.core.streams.source import Source
from orderengine.core.streams.stream import Stream
from orderengine.errors import EventMissing, InvalidArgument
from orderengine.models.orders import Update


class OrderSource(Source):
    """The events of one order after ``after``, to its last one."""

    def __init__(
        self, session: Session, deadline: Deadline, order_id: str, after: int = 0, coarse: bool = False
    ) -> None:
        """:raises InvalidArgument: if ``after`` is not a seq."""
        super().__init__(session, deadline, f"order {order_id}")
        if type(after) is not int or after < 0:
            raise InvalidArgument(f"after is {after!r}, and not a seq")
        self._order_id = order_id
        self._user_id = ""
        self._after = after
        self._coarse = coarse
        self._phase = ""
        # The event at ``after`` comes again: it says whether the order is terminal, and its phase.
        self._resume = Resume(max(0, after - 1), session.counters)
        self._latest: Update | None = None

    @property
    def has_gap(self) -> bool:
        return self._resume.has_gap

    @property
    def last(self) -> tuple[int | None, str | None]:
        return (self._latest.seq, self._latest.status) if self._latest else (self._after, None)

    def query(self) -> tuple[tuple[str, str], ...]:
        return ("orderId", self._order_id), ("afterSeq", str(self._resume.last))

    def take(self, update: Update, is_live: bool) -> None:
        self._user_id = update.user_id
        self._go_on(self._resume.take([update]))

    def live(self, frame: Live) -> Flow[bool]:
        if frame.seq > self._resume.last:
            yield from self.fill()
        yield from self._settle()
        return True

    def poll(self, wait: int) -> Flow[None]:
        yield from self._ask(wait)
        yield from self._settle()

    def fill(self) -> Flow[None]:
        yield from self._ask(0)

    def _ask(self, wait: int) -> Flow[None]:
        """:raises EventMissing: if the engine's answers lack an event."""
        session = yield from self._attempt(wait)
        events = yield from events_after(session, self._order_id, self._resume.last, wait)
        if events and not self._user_id:
            self._user_id = (yield from calls.order((yield from self._attempt()), self._order_id)).user_id
        self._go_on(self._resume.fill(replace(one, user_id=self._user_id) for one in events))
        if self._resume.last < self._after and self._resume.has_gap:
            # The engine lacks the event at ``after``, which this stream does not hand out.
            self._resume.begin(self._after)
            self._go_on(self._resume.take([]))
        if self._resume.missing is not None:
            raise EventMissing(self._order_id, self._resume.missing)

    def _settle(self) -> Flow[None]:
        """An order without an event from ``after`` on may have ended before it."""
        if self._latest is None:
            status = yield from calls.status((yield from self._attempt()), self._order_id)
            self.is_terminal = status.is_terminal and status.seq <= self._resume.last

    def _go_on(self, updates: list[Update]) -> None:
        for update in updates:
            is_change, self._phase = update.phase != self._phase, update.phase
            self._latest = update
            self.is_terminal = self.is_terminal or update.is_terminal
            if update.seq > self._after and (is_change or not self._coarse):
                self._queue([update])


def watch(
    session: Session, order_id: str, after: int = 0, coarse: bool = False, timeout: float | None = None
) -> Flow[None]:
    """A flow that delivers each event of an order after ``after`` once and in order, to its last one.

    :raises InvalidArgument: at once, for an ``after`` or a timeout that makes no sense.
    :raises DeadlineExceeded: after ``timeout`` seconds.
    :raises EventMissing: if the engine lacks an event.
    :raises StreamRefused, ProblemError: if the engine ends the stream for good.
    """
    deadline = Deadline(timeout)
    return Stream(OrderSource(session, deadline, order_id, after, coarse)).flow()
