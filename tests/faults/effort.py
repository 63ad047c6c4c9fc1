"""How much is tried."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """``short`` is for CI, ``long`` for ``make faults``."""

    name: str

    def pick(self, short: int, long: int) -> int:
        return short if self.name == "short" else long


SHORT, LONG = Effort("short"), Effort("long")
