"""The rate limiter: an order reserves a slot when it is accepted, and the slot is checked when the order starts.

Reservations spread the orders over time, through the delay of their messages. Messages arrive late, though, and two
starts that were reserved a minute apart may come closer together, so the start itself is checked again.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

from chalicelib.codec.times import earliest_ms, to_ms
from chalicelib.domain.errors import RateLimitedError
from chalicelib.domain.orders import Order
from chalicelib.domain.rate_limit import MINUTE_MS, SlotReservation
from chalicelib.domain.spec import OrderSpec, Priority
from chalicelib.domain.status import Status
from chalicelib.ports.orders import LostRaceError, OrderStore, StoredOrder
from chalicelib.ports.rate_limit import RateLimitSlots

#: An order whose slot is delayed waits for it this long, and else reserves another. Ten environments start a full
#: minute's worth of orders that were accepted at once within that time.
_MAX_SLOT_DELAY_MS = MINUTE_MS // 2

#: A user with fewer active orders than this counts as a light user.
_LIGHT_USER_ORDERS = 10

#: The high-priority orders of a user with as many active orders take their turn like all others.
_MAX_ORDERS_TO_GO_AHEAD = 50


class LaterError(Exception):
    """The order cannot be executed now, but after ``seconds``."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class RateLimiter:
    """``per_minute`` 0 switches the limit off; the limiter then makes no call."""

    orders: OrderStore
    slots: RateLimitSlots
    per_minute: int
    horizon_seconds: int
    pending_deadline_seconds: int

    @property
    def limited(self) -> bool:
        return self.per_minute > 0

    def seconds_per_start(self, at_least: int) -> int:
        """The whole seconds within which another order may start."""
        return max(at_least, ceil(MINUTE_MS / 1000 / self.per_minute)) if self.limited else at_least

    def reserves(self, spec: OrderSpec) -> bool:
        """True if an order reserves at its acceptance. A high-priority order reserves when it is about to start."""
        return self.limited and spec.priority is not Priority.HIGH

    def reserve(self, spec: OrderSpec, now: datetime) -> SlotReservation | None:
        """Reserve the start of a new order, if it reserves one.

        :raises RateLimitedError: if the next free start lies beyond the horizon.
        :raises ContendedError: if the slots are contended.
        """
        if not self.reserves(spec):
            return None
        latest_ms = to_ms(now) + self.horizon_seconds * 1000
        reservation = self._reserve(spec, to_ms(now), latest_ms)
        if reservation.at_ms > latest_ms:
            raise RateLimitedError(ceil((reservation.at_ms - latest_ms) / 1000), self.horizon_seconds)
        return reservation

    def release(self, reservation: SlotReservation | None) -> None:
        if reservation:
            self.slots.release(reservation)

    def can_admit(self, message: StoredOrder) -> bool:
        """True if the limiter needs no read of the order to admit it."""
        return not self.limited or message.order.attempts > 0 or message.reservation is not None

    def admit(self, stored: StoredOrder, now: datetime) -> SlotReservation | None:
        """Let an order start now, or store when it may. Returns the reservation that the start used.

        :raises LaterError: if it may not start yet.
        :raises LostRaceError: if another writer moved the order.
        :raises ContendedError: if the slots are contended.
        """
        if not self.limited:
            return None
        now_ms, order = to_ms(now), stored.order
        reservation = stored.reservation or self._reserve(order.spec, now_ms)
        at_ms = self._start(reservation, order, now_ms)
        if at_ms > now_ms and at_ms > reservation.at_ms + _MAX_SLOT_DELAY_MS:
            # Delayed too long (a high-priority order took the slot, or the queue is late): reserve again instead of
            # colliding with the slot's next order.
            self._check_unmoved(stored)
            reservation = self._reserve(order.spec, now_ms)
            at_ms = self._start(reservation, order, now_ms)
        if at_ms > now_ms:
            # The order may expire before its slot is free.
            at_ms = earliest_ms(at_ms, order.expires_at)
            deadline_ms = at_ms + self.pending_deadline_seconds * 1000
            try:
                self.orders.write(
                    replace(stored, reservation=reservation), order, lease=None, deadline_ms=deadline_ms
                )
            except LostRaceError:
                if reservation != stored.reservation:
                    self.slots.release(reservation)
                raise
            raise LaterError((at_ms - now_ms) / 1000, "the rate limit delays the start of the order")
        return reservation

    def _check_unmoved(self, stored: StoredOrder) -> None:
        """Refuse to reserve again for an order whose start another copy of its message has delayed.

        The write of a reservation appends no event, so a copy with the earlier reservation would overwrite it, and
        every copy would delay the order further.

        :raises LostRaceError: if the order is not as this worker has it.
        """
        current = self.orders.get(stored.order.order_id)
        if current is None or (current.order.seq, current.reservation) != (stored.order.seq, stored.reservation):
            raise LostRaceError(stored.order.order_id, current)

    def undo(self, started: SlotReservation | None, current: StoredOrder | None, now: datetime) -> None:
        """Give back the start of an order that had started or ended before, as a copy of its message cannot tell."""
        if started is None or current is None or not (current.order.attempts or current.order.is_terminal):
            return
        starts = [to_ms(event.at) for event in current.order.events if event.status is Status.ROUTING]
        before_ms = next(iter(starts), to_ms(now) - MINUTE_MS)
        self.slots.undo_start(started, current.order.order_id, to_ms(now), before_ms)

    def _reserve(self, spec: OrderSpec, now_ms: int, latest_ms: int | None = None) -> SlotReservation:
        """Reserve in turn; ahead of turn for high priority, and for light users behind the backlog of others.

        A user with many active orders has all of them in turn.
        """
        if spec.priority is Priority.HIGH and self._may_go_ahead(spec.user_id):
            return self.slots.reserve_ahead(now_ms)
        reservation = self.slots.reserve(now_ms, latest_ms)
        wait_ms = reservation.at_ms - now_ms
        if wait_ms <= MINUTE_MS or not self._waits_for_others(spec.user_id, wait_ms):
            return reservation
        if latest_ms is None or reservation.at_ms <= latest_ms:
            self.slots.release(reservation)
        # Leave slots that are already due: their order's message may be in flight.
        reservation = self.slots.reserve_ahead(now_ms, spare_due=True)
        if latest_ms is not None and reservation.at_ms > latest_ms:
            self.slots.release(reservation)
        return reservation

    def _may_go_ahead(self, user_id: str) -> bool:
        return self.orders.count_active(user_id, _MAX_ORDERS_TO_GO_AHEAD) < _MAX_ORDERS_TO_GO_AHEAD

    def _waits_for_others(self, user_id: str, wait_ms: int) -> bool:
        """True if a light user would wait over a minute longer than the user's own orders explain."""
        own = self.orders.count_active(user_id, _LIGHT_USER_ORDERS)
        return own < _LIGHT_USER_ORDERS and wait_ms > MINUTE_MS * (1 + own // self.per_minute)

    def _start(self, reservation: SlotReservation, order: Order, now_ms: int) -> int:
        """Start as reserved, if the time has come; returns ``now_ms`` on a start, else the time of the start."""
        if reservation.at_ms > now_ms:
            return reservation.at_ms
        return self.slots.start(reservation, order.order_id, now_ms)
