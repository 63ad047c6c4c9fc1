"""The rate limit: an order books its start when it is accepted, and is held to it when it begins.

The reservation spreads the orders over the time to come, by the delay of their messages. Messages come late, though,
and two starts that were booked a minute apart may not be one: so a start is checked once more where it happens.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

from chalicelib.codec.times import earliest_ms, to_ms
from chalicelib.domain.errors import RateLimitedError
from chalicelib.domain.orders import Order, OrderSpec, Priority
from chalicelib.domain.rate_limit import MINUTE_MS, SlotReservation
from chalicelib.ports.orders import OrderStore, StoredOrder
from chalicelib.ports.rate_limit import RateLimitSlots

#: An order whose start is put off waits in its slot for so long, and else takes another place. A full minute's worth
#: that was accepted at once is through ten environments within it.
_PATIENCE_MS = MINUTE_MS // 2

#: A user with fewer orders than these on their way has little waiting.
_FEW = 10


class LaterError(Exception):
    """The order cannot be worked on now; it can in ``seconds``."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class RateLimiter:
    """``per_minute`` is 0 where any number of orders may start; then nothing here asks or writes anything."""

    orders: OrderStore
    slots: RateLimitSlots
    per_minute: int
    horizon_seconds: int
    pending_deadline_seconds: int

    @property
    def limited(self) -> bool:
        return self.per_minute > 0

    def book(self, spec: OrderSpec, now: datetime) -> SlotReservation | None:
        """The start of a new order. a high-priority one books none: it takes whichever is free first, once it is its turn.

        :raises RateLimitedError: if the next free start lies beyond the horizon.
        """
        if not self.limited or spec.priority is Priority.HIGH:
            return None
        latest_ms = to_ms(now) + self.horizon_seconds * 1000
        reservation = self._place(spec, to_ms(now), latest_ms)
        if reservation.at_ms > latest_ms:
            raise RateLimitedError(ceil((reservation.at_ms - latest_ms) / 1000))
        return reservation

    def give_back(self, reservation: SlotReservation | None) -> None:
        if reservation:
            self.slots.give_back(reservation)

    def admit(self, stored: StoredOrder, now: datetime) -> None:
        """Let an order begin now, or note when it may.

        :raises LaterError: if it may not yet.
        :raises LostRaceError: if the order moved on meanwhile.
        """
        if not self.limited:
            return
        now_ms, order = to_ms(now), stored.order
        reservation = stored.reservation or self._place(order.spec, now_ms)
        at_ms = self._use(reservation, order, now_ms)
        if at_ms > now_ms and at_ms > reservation.at_ms + _PATIENCE_MS:
            # a high-priority order has its place, or half the queue is late: it would meet the next in its slot.
            reservation = self._place(order.spec, now_ms)
            at_ms = self._use(reservation, order, now_ms)
        if at_ms > now_ms:
            # It may be over first.
            at_ms = earliest_ms(at_ms, order.expires_at)
            deadline_ms = at_ms + self.pending_deadline_seconds * 1000
            self.orders.write(replace(stored, reservation=reservation), order, lease=None, deadline_ms=deadline_ms)
            raise LaterError((at_ms - now_ms) / 1000, "under the rate limit the order may not begin yet")

    def _place(self, spec: OrderSpec, now_ms: int, latest_ms: int | None = None) -> SlotReservation:
        """Where an order stands. Ahead are high-priority ones, and who would wait for minutes behind the many of others."""
        if spec.priority is Priority.HIGH:
            return self.slots.book_first(now_ms)
        reservation = self.slots.book(now_ms, latest_ms)
        if reservation.at_ms <= now_ms + MINUTE_MS or not self._waits_for_others(
            spec.user_id, reservation.at_ms - now_ms
        ):
            return reservation
        if latest_ms is None or reservation.at_ms <= latest_ms:
            self.slots.give_back(reservation)
        # Nobody's turn that has come is taken: its message may be on its way.
        reservation = self.slots.book_first(now_ms, spare_due=True)
        if latest_ms is not None and reservation.at_ms > latest_ms:
            self.slots.give_back(reservation)
        return reservation

    def _waits_for_others(self, user_id: str, wait_ms: int) -> bool:
        """Whether a user with few orders would wait a minute longer than they themselves make it."""
        own = self.orders.count_active(user_id, _FEW)
        return own < _FEW and wait_ms > MINUTE_MS * (1 + own // self.per_minute)

    def _use(self, reservation: SlotReservation, order: Order, now_ms: int) -> int:
        """Start as booked, if it is time; returns when it is, which is ``now_ms`` if the order has started."""
        if reservation.at_ms > now_ms:
            return reservation.at_ms
        return self.slots.start(reservation, order.order_id, now_ms)
