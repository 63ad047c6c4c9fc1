"""The position in the events of one order: which update is next, which is early, and which has come before."""

from collections.abc import Iterable

from orderengine.core.session import Counters
from orderengine.models.orders import Update

#: The ``last`` of an order while the seq at which its updates begin is not known.
UNKNOWN = -1
#: An update is missing for good after so many answers in a row that have later ones without it.
MAX_SKIPS = 3


class Resume:
    """Turns the updates of an order, in any sequence and any number of times, into ``last + 1``, ``last + 2`` …

    ``Resume`` holds an early update until those before it are here.
    """

    __slots__ = ("_counters", "_held", "_is_counted", "_skips", "last")

    def __init__(self, last: int, counters: Counters) -> None:
        #: The highest ``seq`` up to which no update is missing; ``UNKNOWN`` until ``begin`` says where they begin.
        self.last = last
        self._held: dict[int, Update] = {}
        self._counters = counters
        self._is_counted = False
        self._skips = 0

    @property
    def has_gap(self) -> bool:
        """Whether an update may be missing before one that is here."""
        return bool(self._held)

    @property
    def missing(self) -> int | None:
        """The ``seq`` that the engine's own answers lack, or ``None``."""
        return self.last + 1 if self._skips >= MAX_SKIPS else None

    def begin(self, last: int) -> None:
        """Let the updates begin after ``last``, but with all that are held."""
        self.last = min([last, *(seq - 1 for seq in self._held)])
        self._count()

    def take(self, updates: Iterable[Update]) -> list[Update]:
        """The updates whose turn it is now."""
        for update in updates:
            if update.seq <= self.last or update.seq in self._held:
                self._counters.doubles += 1
            else:
                self._held[update.seq] = update
        return self._due()

    def fill(self, events: Iterable[Update]) -> list[Update]:
        """As ``take``, of the engine's whole answer to a gap: what it repeats of the held updates is no double."""
        found = list(events)
        skips = bool(found) and min(one.seq for one in found) > self.last + 1
        self._skips = self._skips + 1 if skips else 0
        return self.take([one for one in found if one.seq not in self._held])

    def skip(self) -> list[Update]:
        """Give up the updates missing before the held ones, which the engine does not have."""
        self._is_counted, self._skips = False, 0
        self.last = min(self._held, default=self.last + 1) - 1
        return self._due()

    def _due(self) -> list[Update]:
        due: list[Update] = []
        if self.last == UNKNOWN:
            return due
        while self.last + 1 in self._held:
            self.last += 1
            due.append(self._held.pop(self.last))
        self._count()
        return due

    def _count(self) -> None:
        is_gap = bool(self._held) and self.last != UNKNOWN and self.last + 1 not in self._held
        if is_gap != self._is_counted:
            self._is_counted = is_gap
            self._counters.gaps += is_gap
            self._counters.gaps_filled += not is_gap
