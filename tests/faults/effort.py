"""How much is tried."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """``SHORT`` is for CI, ``LONG`` for ``make faults``; ``UNTIL_FOUND`` is ``SHORT`` and ends at the first violation."""

    name: str
    ends_at_a_violation: bool = False

    def pick(self, short: int, long: int) -> int:
        return long if self.name == "long" else short


SHORT, LONG = Effort("short"), Effort("long")
UNTIL_FOUND = Effort("short", ends_at_a_violation=True)
