"""The looks: short passes of the market watcher and of the watchdog, which a queue starts every few seconds.

Each look is one message and one invocation. A worker that dies loses one look, and the next one follows. Looks are
queued only while something waits for one; ``wake_looks`` has how an order that arrives in between is covered.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from zlib import crc32

from chalicelib.codec.times import to_ms
from chalicelib.ports.looks import LookCover
from chalicelib.ports.market import MarketStore
from chalicelib.ports.orders import OrderStore
from chalicelib.ports.queues import DelayedLook, Look, LookQueue, MarketLook, WatchdogLook

T = TypeVar("T")

log = logging.getLogger(__name__)

#: A new order has looks for so long: until the schedule's next message (60 s), which may be 10 s late and which its
#: queue delivers again after 16 s if a worker dies, has seen the order in an index. The other 14 s are for the index
#: to lag and for clocks to differ.
MIN_COVERED_SECONDS = 100
#: The process that asks for looks trusts for so long that they are queued, and asks no more.
TRUSTED_SECONDS = 10
#: The schedule queues looks this far ahead. An order that arrives before the schedule's next message, which may be
#: 10 s late, then has its cover without asking for it.
MAX_COVERED_SECONDS = 60 + MIN_COVERED_SECONDS + 10
#: A look that is later than this many pauses between two looks is skipped, so that late looks do not pile up.
_MAX_LATE_TICKS = 2


def in_turn(items: Sequence[T], at: datetime) -> list[T]:
    """All items, from a place on that differs from look to look: each look that ends early leaves others out."""
    first = crc32(str(to_ms(at)).encode()) % len(items) if items else 0
    return [*items[first:], *items[:first]]


def trusted_until_ms(cover: LookCover, now_ms: int) -> int:
    """Until when looks are queued; 0 for a moment so far ahead that only a wrong clock can have noted it."""
    return _trusted(cover.until_ms(), now_ms)


def _trusted(until_ms: int, now_ms: int) -> int:
    return until_ms if until_ms <= now_ms + 2 * MAX_COVERED_SECONDS * 1000 else 0


@dataclass(slots=True)
class ScheduleLooks:
    """One per process, which remembers what it queued: it queues nothing twice although the note may fail."""

    queue: LookQueue
    cover: LookCover
    orders: OrderStore
    markets: MarketStore
    now: Callable[[], datetime]
    tick_seconds: int
    #: Until when this process itself has queued looks.
    _queued_until_ms: int = field(default=0, init=False)

    def of_minute(self) -> bool:
        """Queue further looks if something waits for one; returns whether it does.

        An order that this check misses, because it is written right after it or the index lags, has its own cover
        until the check of the next minute.
        """
        if not self._is_awaited():
            return False
        now_ms = to_ms(self.now())
        self._queue(now_ms, self._until_ms(now_ms))
        return True

    def from_now(self) -> None:
        """Queue looks for an order that arrives, unless another one has just let them be queued."""
        now_ms = to_ms(self.now())
        until_ms = self._until_ms(now_ms)
        if until_ms < now_ms + (MIN_COVERED_SECONDS + TRUSTED_SECONDS) * 1000:
            self._queue(now_ms, until_ms)

    def is_late(self, look: Look) -> bool:
        """True if newer looks have replaced this one."""
        return to_ms(self.now()) - look.due_ms > _MAX_LATE_TICKS * self.tick_seconds * 1000

    def _is_awaited(self) -> bool:
        """True if an order is neither terminal nor recorded, or a launch is pending."""
        return self.orders.has_deadlines() or bool(self.markets.pending_launches())

    def _until_ms(self, now_ms: int) -> int:
        """Until when looks are queued, by the note or by this process's own memory."""
        return max(trusted_until_ms(self.cover, now_ms), _trusted(self._queued_until_ms, now_ms))

    def _queue(self, now_ms: int, until_ms: int) -> None:
        """Queue the looks that follow those of the cover, and note them.

        The looks go first: if the worker dies before the note, its message comes again, and they are queued twice.
        """
        ticks_ms = range(max(now_ms, until_ms), now_ms + MAX_COVERED_SECONDS * 1000, self.tick_seconds * 1000)
        if not ticks_ms:
            return
        self.queue.send([look for due_ms in ticks_ms for look in _looks(due_ms, (due_ms - now_ms) // 1000)])
        self._queued_until_ms = ticks_ms[-1] + ticks_ms.step
        try:
            self.cover.extend(self._queued_until_ms)
        except Exception:
            # Another delivery of the message may come to another process, which would queue all of the looks again.
            log.exception("looks not noted; another process may queue them twice")


def _looks(due_ms: int, delay_seconds: int) -> Sequence[DelayedLook]:
    return (MarketLook(due_ms), delay_seconds), (WatchdogLook(due_ms), delay_seconds)


class LookFailedError(Exception):
    """A part of a look failed. The next look repeats it."""


@dataclass(slots=True)
class LookParts:
    """The parts of one look. A part that fails does not stop the others."""

    failed: list[str] = field(default_factory=list)

    def attempt(self, name: str, work: Callable[[], T], default: T) -> T:
        """The result of one part of the look, or ``default`` if it fails."""
        try:
            return work()
        except Exception:
            log.exception("a look failed in part", extra={"part": name})
            self.failed.append(name)
            return default

    def finish(self) -> None:
        """:raises LookFailedError: if a part failed, so that the function's error alarm counts the look."""
        if self.failed:
            raise LookFailedError(", ".join(dict.fromkeys(self.failed)))
