"""Taking an order up: a lease on the item, so that nobody else works on it at the same time.

The first attempt begins in the write that takes the lease. A worker that died leaves its lease to run out, and
the next one goes on from where the order stands, in the same attempt.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.status import Status
from chalicelib.ports.orders import Lease, LostRaceError, OrderStore, StoredOrder
from chalicelib.services.limits.rate_limiter import LaterError, RateLimiter
from chalicelib.services.streams.publisher import Publisher

log = logging.getLogger(__name__)


#: Where a message finds an order that nobody has begun with.
BEGINNING = frozenset({Status.PENDING, Status.TRIGGERED})


@dataclass(frozen=True, slots=True)
class LeaseOrder:
    orders: OrderStore
    publisher: Publisher
    starts: RateLimiter
    now: Callable[[], datetime]
    lease_seconds: int
    deadline_grace_seconds: int

    def __call__(self, message: StoredOrder, owner: str) -> StoredOrder | None:
        """The order of a message, leased to ``owner``. One that is over, or waits (again), needs no lease.

        ``None``: no such order.

        :raises LaterError: while somebody else's lease is running, or before the order may begin.
        :raises LostRaceError: if the order moved on between the look and the write.
        """
        # Under a rate limit the item knows when the order may begin, and the message does not.
        if message.order.status in BEGINNING and not self.starts.limited:
            try:
                return self._lease(message, owner)
            except LostRaceError:
                log.info("the message is stale", extra={"orderId": message.order.order_id})
        stored = self.orders.get(message.order.order_id)
        if stored is None or stored.order.is_terminal or stored.order.status is Status.OPEN:
            return stored
        if stored.lease and stored.lease.owner != owner:
            left_ms = stored.lease.until_ms - to_ms(self.now())
            # The last millisecond is still its owner's: a write would lose to it, and wait for a whole lease more.
            if left_ms >= 0:
                raise LaterError(max(left_ms, 1) / 1000, "somebody else is at it")
        # Who sent the message had told the subscribers, and has not written that down.
        return self._lease(replace(stored, published=max(stored.published, message.published)), owner)

    def _lease(self, stored: StoredOrder, owner: str) -> StoredOrder:
        now = self.now()
        after = stored.order
        if after.status is Status.TRIGGERED and after.is_expired(now):
            due_ms = to_ms(now) + self.deadline_grace_seconds * 1000
            expired = self.orders.write(stored, after.moved(Status.EXPIRED, now), lease=None, deadline_ms=due_ms)
            if not after.attempts:
                self.starts.give_back(stored.reservation)
            return expired
        # One that is taken up again goes on as it stands, and one that triggers again has not used its attempt up.
        if after.status in BEGINNING:
            if not after.attempts:
                self.starts.admit(stored, now)
            after = after.moved(Status.ROUTING, now, next_attempt=not after.attempts)
        lease = Lease(owner, to_ms(now) + self.lease_seconds * 1000)
        deadline_ms = lease.until_ms + self.deadline_grace_seconds * 1000
        return self.publisher.publish(self.orders.write(stored, after, lease=lease, deadline_ms=deadline_ms))
