"""What a trial reports, and the table of all trials."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Result:
    """One trial. ``slowest_recovery_seconds`` is from a fault to the end of an order that it met."""

    name: str
    orders: int = 0
    faults: int = 0
    violations: list[str] = field(default_factory=list)
    slowest_recovery_seconds: float | None = None
    notes: list[str] = field(default_factory=list)

    def recovered(self, seconds: float) -> None:
        """An order ended so long after the fault that met it."""
        self.slowest_recovery_seconds = max(seconds, self.slowest_recovery_seconds or 0.0)

    def add(self, other: "Result") -> None:
        """Take up what a part of this trial reports."""
        self.orders += other.orders
        self.faults += other.faults
        self.violations += other.violations
        self.notes += other.notes
        if other.slowest_recovery_seconds is not None:
            self.recovered(other.slowest_recovery_seconds)


HEADER = f"{'trial':48} {'orders':>7} {'faults':>7} {'violations':>10}   slowest recovery"


def row(result: Result) -> str:
    """One line of the table, and a line for each thing worth noting."""
    slowest = result.slowest_recovery_seconds
    recovery = "-" if slowest is None else f"{slowest:.1f} s"
    line = f"{result.name:48} {result.orders:7} {result.faults:7} {len(result.violations):10}   {recovery}"
    return "\n".join([line, *(f"    {note}" for note in result.notes)])


def table(results: Iterable[Result]) -> str:
    return "\n".join([HEADER, *map(row, results)])
