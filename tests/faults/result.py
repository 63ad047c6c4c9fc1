"""The result of a trial, and the table of all results."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Result:
    """The result of a trial. ``slowest_recovery_seconds`` is the longest time from a fault to the end of an order."""

    name: str
    orders: int = 0
    faults: int = 0
    violations: list[str] = field(default_factory=list)
    slowest_recovery_seconds: float | None = None
    notes: list[str] = field(default_factory=list)
    #: Reason why the machine cannot run this trial.
    skipped: str = ""

    def recovered(self, seconds: float) -> None:
        """Record that an order ended this many seconds after the fault that affected it."""
        self.slowest_recovery_seconds = max(seconds, self.slowest_recovery_seconds or 0.0)

    def add(self, other: "Result") -> None:
        """Add the result of a part of this trial."""
        self.orders += other.orders
        self.faults += other.faults
        self.violations += other.violations
        self.notes += other.notes
        if other.slowest_recovery_seconds is not None:
            self.recovered(other.slowest_recovery_seconds)


HEADER = f"{'trial':48} {'orders':>7} {'faults':>7} {'violations':>10}   slowest recovery"


def row(result: Result) -> str:
    """Return a line of the table, followed by one line per note."""
    if result.skipped:
        return f"{result.name:48} skipped: {result.skipped}"
    slowest = result.slowest_recovery_seconds
    recovery = "-" if slowest is None else f"{slowest:.1f} s"
    line = f"{result.name:48} {result.orders:7} {result.faults:7} {len(result.violations):10}   {recovery}"
    return "\n".join([line, *(f"    {note}" for note in result.notes)])


def table(results: Iterable[Result]) -> str:
    return "\n".join([HEADER, *map(row, results)])
