"""The number of runs in a trial: a short form for CI and a long form."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """``SHORT`` is for CI, ``LONG`` for ``make faults``. A trial may end at a violation that contains ``until``."""

    name: str
    #: Text of an expected violation; a trial of a correct engine never finds it.
    until: str | None = None

    def pick(self, short: int, long: int) -> int:
        return long if self.name == "long" else short

    def is_complete(self, violations: Iterable[str]) -> bool:
        """Return whether the trial has found the violation that it may end at."""
        return self.until is not None and any(self.until in violation for violation in violations)


SHORT, LONG = Effort("short"), Effort("long")


def short_until(violation: str) -> Effort:
    """Return a short form that ends at the first violation that contains this text."""
    return Effort("short", until=violation)
