"""The frames that the sockets of a measurement were due, over all its rounds."""

from dataclasses import dataclass, field

from tests.bench.figures import Row
from tests.bench.sockets import Tally


@dataclass(kw_only=True)
class Frames:
    """How many frames were due and arrived; ``faults`` tells of those that were missing or before their turn."""

    due: int = 0
    received: int = 0
    doubled: int = 0
    faults: list[str] = field(default_factory=list)

    def count(self, tally: Tally, what: str) -> None:
        """Add the frames of one round, which a fault names as ``what``."""
        self.due += tally.due
        self.received += tally.received
        self.doubled += tally.doubled
        self.faults += tally.faults(what)

    def frame_rows(self) -> list[Row]:
        return [
            Row("  frames received / due", f"{self.received} / {self.due}"),
            Row("  doubled", str(self.doubled)),
        ]
