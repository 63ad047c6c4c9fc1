"""How much is tried."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """``SHORT`` is for CI, ``LONG`` for ``make faults``. A trial may end once it has found ``until``."""

    name: str
    #: Part of a violation; a trial of a sound engine never finds one.
    until: str | None = None

    def pick(self, short: int, long: int) -> int:
        return long if self.name == "long" else short

    def is_over(self, violations: Iterable[str]) -> bool:
        """Return whether the violations have what was looked for."""
        return self.until is not None and any(self.until in violation for violation in violations)


SHORT, LONG = Effort("short"), Effort("long")


def short_until(violation: str) -> Effort:
    """Return the short form, which ends at the first violation of a kind."""
    return Effort("short", until=violation)
