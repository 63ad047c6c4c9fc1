"""Taking an order up: a lease on the item, so that nobody else works on it at the same time.

The first attempt begins in the write that takes the lease. A worker that died leaves its lease to run out, and
the next one goes on from where the order stands, in the same attempt.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.encoding.times import to_ms
from chalicelib.ports import Lease, LostRaceError, OrderStore, Tracked
from chalicelib.services.publish import Publisher

log = logging.getLogger(__name__)


class BusyError(Exception):
    """Another worker's lease is running, for ``seconds`` more."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"busy for {seconds:.1f} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class ClaimOrder:
    orders: OrderStore
    publisher: Publisher
    now: Callable[[], datetime]
    lease_seconds: int
    attention_slack_seconds: int

    def __call__(self, message: Tracked, owner: str) -> Tracked | None:
        """The order of a message, leased to ``owner``; terminal orders need no lease. ``None``: no such order.

        :raises BusyError: while somebody else's lease is running.
        :raises LostRaceError: if the order moved on between the look and the write.
        """
        if message.order.status is Status.PENDING:
            try:
                return self._lease(message, owner)
            except LostRaceError:
                log.info("the message is stale", extra={"orderId": message.order.order_id})
        tracked = self.orders.get(message.order.order_id)
        if tracked is None or tracked.order.is_terminal:
            return tracked
        if tracked.lease and tracked.lease.owner != owner:
            left_ms = tracked.lease.until_ms - to_ms(self.now())
            # The last millisecond is still its owner's: a write would lose to it, and wait for a whole lease more.
            if left_ms >= 0:
                raise BusyError(max(left_ms, 1) / 1000)
        return self._lease(tracked, owner)

    def _lease(self, tracked: Tracked, owner: str) -> Tracked:
        lease = Lease(owner, to_ms(self.now()) + self.lease_seconds * 1000)
        attention_at_ms = lease.until_ms + self.attention_slack_seconds * 1000
        after = self._begun(tracked.order)
        return self.publisher.publish(self.orders.write(tracked, after, lease=lease, attention_at_ms=attention_at_ms))

    def _begun(self, order: Order) -> Order:
        """The order with its first attempt begun; one that is taken up again goes on as it stands."""
        if order.attempts:
            return order
        return order.moved(Status.ROUTING, self.now(), next_attempt=True)
