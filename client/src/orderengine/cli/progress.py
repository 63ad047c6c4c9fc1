"""How far an order has come: the steps of its bar, from its events."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from orderengine.cli.orders_text import failure_of, quotes_of
from orderengine.models.orders import Update
from orderengine.models.words import Status

_MARKET = (Status.PENDING, Status.ROUTING, Status.BUILDING, Status.SUBMITTED)
_WAITING = (Status.OPEN, Status.TRIGGERED, Status.ROUTING, Status.BUILDING, Status.SUBMITTED)
#: The steps of an attempt; a retry goes through them again.
_ATTEMPT = (Status.ROUTING, Status.BUILDING, Status.SUBMITTED)


class Mark(Enum):
    DONE = "done"
    NOW = "now"
    TO_COME = "to come"
    FILLED = "filled"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the bar, and the seconds from acceptance until the order reached it."""

    name: str
    mark: Mark
    seconds: float | None


@dataclass(slots=True)
class Progress:
    """The state of a bar. Without its first event, times count from the first one that is known."""

    waits: bool = False
    started: datetime | None = None
    last: Update | None = None
    failure: str = ""
    quotes: Sequence[str] = ()
    reason: str = ""
    _reached: dict[str, datetime] = field(default_factory=dict)

    def add(self, update: Update) -> None:
        """Take in the next event."""
        before = self.last
        self.started = self.started or update.at
        self.waits = self.waits or update.status in (Status.OPEN, Status.TRIGGERED)
        if before is not None and (update.attempt > before.attempt or update.status == Status.OPEN):
            for name in (*_ATTEMPT, Status.TRIGGERED)[: None if update.status == Status.OPEN else -1]:
                self._reached.pop(name, None)
            self.quotes, self.reason = (), ""
        self._reached.setdefault(update.status, update.at)
        self.failure = failure_of(update.meta) or self.failure
        if found := quotes_of(update.meta):
            self.quotes, self.reason = found, str(update.meta.get("reason") or "")
        self.last = update

    @property
    def steps(self) -> list[Step]:
        plan = [str(name) for name in (_WAITING if self.waits else _MARKET)]
        status = self.last.status if self.last else ""
        is_over = self.last is not None and self.last.is_terminal
        end = status if is_over else str(Status.CONFIRMED)
        if status and status not in plan and not is_over:
            plan.append(status)
        return [Step(name, self._mark(name, status, is_over), self._seconds(name)) for name in [*plan, end]]

    def _mark(self, name: str, status: str, is_over: bool) -> Mark:
        if name == status and is_over:
            return Mark.FILLED if name == Status.CONFIRMED else Mark.ENDED
        if name == status:
            return Mark.NOW
        return Mark.DONE if name in self._reached else Mark.TO_COME

    def _seconds(self, name: str) -> float | None:
        at = self._reached.get(name)
        return None if at is None or self.started is None else (at - self.started).total_seconds()
