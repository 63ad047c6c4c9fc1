"""The lease of an order: it keeps other workers from the order while one of them executes it.

The write that takes the lease also begins the first attempt. A worker that dies leaves its lease to run out; the next
worker resumes from the order's status, in the same attempt.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import from_ms, to_ms
from chalicelib.domain.events import AttemptStarted, Expired
from chalicelib.domain.status import Status
from chalicelib.observability import orders as observe
from chalicelib.ports.orders import Lease, LostRaceError, OrderStore, StoredOrder
from chalicelib.services.limits.rate_limiter import LaterError, RateLimiter
from chalicelib.services.streams.order_stream import OrderStream

#: The statuses in which an order waits in the queue for its first worker.
QUEUED = frozenset({Status.PENDING, Status.TRIGGERED})


@dataclass(frozen=True, slots=True)
class LeaseOrder:
    orders: OrderStore
    rate_limiter: RateLimiter
    now: Callable[[], datetime]
    lease_seconds: int
    deadline_grace_seconds: int

    def __call__(self, message: StoredOrder, owner: str, stream: OrderStream) -> StoredOrder | None:
        """The order of a message, leased to ``owner``. A terminal or open order needs no lease and has none.

        ``None`` if there is no such order.

        :raises LaterError: while another owner's lease is valid, or before the rate limit lets the order start.
        :raises LostRaceError: if another writer moved the order between the read and the write.
        :raises ContendedError: if the rate limit's slots are contended.
        """
        stored = None
        if message.order.status in QUEUED and self.rate_limiter.can_admit(message):
            try:
                return self._lease(message, owner, stream)
            except LostRaceError as lost:
                observe.message_outdated(message.order)
                stored = lost.current
        stored = stored or self.orders.get(message.order.order_id)
        if stored is None:
            return None
        # The sender pushed up to ``message.published`` but may not have stored that. The higher value keeps the
        # worker from pushing a frame twice.
        stored = stored.with_progress_of(message)
        if stored.order.is_terminal or stored.order.status is Status.OPEN:
            return stored
        if stored.lease and stored.lease.owner != owner:
            left_ms = stored.lease.until_ms - to_ms(self.now())
            # The lease includes its last millisecond: a write in it would lose, and wait for a whole lease more.
            if left_ms >= 0:
                raise LaterError(max(left_ms, 1) / 1000, "another worker holds the lease")
        return self._lease(stored, owner, stream)

    def _lease(self, stored: StoredOrder, owner: str, stream: OrderStream) -> StoredOrder:
        now, order = self.now(), stored.order
        if order.status is Status.TRIGGERED and order.is_expired(now):
            due_ms = to_ms(now) + self.deadline_grace_seconds * 1000
            expired = self.orders.write(stored, order.after(Expired(), now), lease=None, deadline_ms=due_ms)
            observe.ended(expired.order)
            if not order.attempts:
                self.rate_limiter.release(stored.reservation)
            return expired
        started = None
        # A recovered order resumes from its status. A re-triggered one keeps its attempt number.
        if order.status in QUEUED:
            if not order.attempts:
                started = self.rate_limiter.admit(stored, now)
            order = order.after(AttemptStarted(), now, next_attempt=not order.attempts)
        lease = Lease(owner, to_ms(now) + self.lease_seconds * 1000)
        deadline_ms = lease.until_ms + self.deadline_grace_seconds * 1000
        try:
            leased = self.orders.write(stored, order, lease=lease, deadline_ms=deadline_ms)
        except LostRaceError as lost:
            self.rate_limiter.undo(started, lost.current, now)
            raise
        if _is_start(stored):
            waited_ms = None if stored.order.attempts else max(to_ms(now) - startable_ms(stored), 0)
            observe.started(order, waited_ms)
        return stream.publish(leased)


def leased_at(stored: StoredOrder, lease_seconds: int) -> datetime:
    """When the worker that executes the order leased it.

    :raises ValueError: for an order without a lease.
    """
    if stored.lease is None:
        raise ValueError(f"order {stored.order.order_id} has no lease")
    return from_ms(stored.lease.until_ms - lease_seconds * 1000)


def startable_ms(stored: StoredOrder) -> int:
    """The moment from which workers can execute a queued order: its acceptance, last trigger or slot."""
    queued_ms = max(to_ms(event.at) for event in stored.order.events if event.status in QUEUED)
    return max(queued_ms, stored.reservation.at_ms if stored.reservation else 0)


def _is_start(stored: StoredOrder) -> bool:
    """True if a new attempt begins with this lease. An order whose worker was lost goes on with its attempt."""
    if stored.order.status in QUEUED:
        return True
    return stored.order.status is Status.ROUTING and stored.lease is None
