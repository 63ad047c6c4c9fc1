"""The slots of the rate limit."""

from typing import Protocol

from chalicelib.domain.rate_limit import SlotReservation


class RateLimitSlots(Protocol):
    """The slots of the rate limit: see ``domain.rate``. Times are milliseconds since the epoch."""

    def book(self, now_ms: int, latest_ms: int | None = None) -> SlotReservation:
        """Book the next slot in turn. A reservation for later than ``latest_ms`` is only an answer, and not kept.

        Then it is the first that could be had at all.
        """
        ...

    def give_back(self, reservation: SlotReservation) -> None:
        """Have a reservation that is not needed be taken by somebody else."""
        ...

    def book_first(self, now_ms: int, spare_due: bool = False) -> SlotReservation:
        """Book the slot that is free first, ahead of all that ``book`` gave away.

        With ``spare_due`` only ahead of what it gave away for later than now: a reservation that is due and has not
        begun keeps its slot for the minute it was booked for, as it may be one that is never used.
        """
        ...

    def start(self, reservation: SlotReservation, order_id: str, now_ms: int) -> int:
        """Use a booked slot now; returns from when it may be used, which is ``now_ms`` where it was."""
        ...
