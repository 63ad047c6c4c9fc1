"""The slots of the rate limit, and the permits of the request rate."""

from typing import Protocol

from chalicelib.domain.rate_limit import SlotReservation, SlotUse


class RateLimitSlots(Protocol):
    """The slots that ``domain.rate_limit`` describes. Times are milliseconds since the epoch."""

    def reserve(self, now_ms: int, latest_ms: int | None = None) -> SlotReservation:
        """Reserve the next slot in turn.

        A slot that is free only after ``latest_ms`` is not reserved: the result then carries the first time at
        which any slot is free.

        :raises ContendedError: if other writers kept changing the slot.
        """
        ...

    def reserve_ahead(self, now_ms: int, spare_due: bool = False) -> SlotReservation:
        """Reserve the slot that is free first, ahead of the reservations in turn: one of ``high_priority_slots``.

        With ``spare_due`` it may be any slot, and the reservation goes ahead of future reservations only: a due
        reservation that has not started keeps its slot for the minute that it was made for, because its order may
        start at any moment.

        :raises ContendedError: if other writers kept changing the slot.
        """
        ...

    def release(self, reservation: SlotReservation) -> None:
        """Give a reservation back. Only the last reservation of a slot can be given back; others stay."""
        ...

    def start(self, reservation: SlotReservation, order_id: str, now_ms: int) -> int:
        """Use a reserved slot now; returns ``now_ms``, or the time from which the slot may be used."""
        ...

    def undo_start(self, reservation: SlotReservation, order_id: str, now_ms: int, before_ms: int) -> None:
        """Replace the order's start at ``now_ms`` by an earlier one, unless the slot has been used since."""
        ...

    def use(self, now_ms: int) -> SlotUse:
        """The starts of the last minute, and those that are reserved for later."""
        ...


class RequestPermits(Protocol):
    """How many permits the environments have taken for each user and window. Old windows are forgotten."""

    def take(self, user_id: str, began_ms: int, number: int, limit: int) -> bool:
        """Take permits of the window that began then; False if the user's ``limit`` of them is taken already.

        The last permits taken may exceed the limit.
        """
        ...
