"""The cover of the looks: until when looks are queued, as all functions see it."""

from typing import Protocol


class LookCover(Protocol):
    def until_ms(self) -> int:
        """Until when looks are queued, in milliseconds since the epoch; 0 before the first ones (consistent)."""
        ...

    def extend(self, until_ms: int) -> None:
        """Note that looks are queued until then.

        A note may replace a later one: looks are then queued twice, which is harmless.
        """
        ...
