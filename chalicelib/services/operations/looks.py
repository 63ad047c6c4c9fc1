"""The looks: short passes of the market watcher and of the watchdog, which a queue starts every few seconds.

Each look is one message and one invocation. A worker that dies loses one look, and the next one follows.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from zlib import crc32

from chalicelib.codec.times import to_ms
from chalicelib.ports.queues import Look, LookQueue, MarketLook, WatchdogLook

T = TypeVar("T")

log = logging.getLogger(__name__)

#: The schedule sends a message a minute, and looks for 20 s more: if the worker of the next message dies, the queue
#: delivers that message again after its visibility timeout of 16 s.
_COVERED_SECONDS = 80
#: A look that is later than this many pauses between two looks is skipped, so that late looks do not pile up.
_MAX_LATE_TICKS = 2


def in_turn(items: Sequence[T], at: datetime) -> list[T]:
    """All items, from a place on that differs from look to look: each look that ends early leaves others out."""
    first = crc32(str(to_ms(at)).encode()) % len(items) if items else 0
    return [*items[first:], *items[:first]]


@dataclass(frozen=True, slots=True)
class ScheduleLooks:
    queue: LookQueue
    now: Callable[[], datetime]
    tick_seconds: int

    def __call__(self) -> None:
        """Queue the looks of the coming minute and some more. Repeating it is safe: looks may overlap."""
        now_ms = to_ms(self.now())
        for delay_seconds in range(0, _COVERED_SECONDS, self.tick_seconds):
            due_ms = now_ms + delay_seconds * 1000
            self.queue.send([MarketLook(due_ms), WatchdogLook(due_ms)], delay_seconds)

    def is_late(self, look: Look) -> bool:
        """True if newer looks have replaced this one."""
        return to_ms(self.now()) - look.due_ms > _MAX_LATE_TICKS * self.tick_seconds * 1000


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
