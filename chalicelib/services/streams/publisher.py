"""Publishing of events: pushed to the order's own subscribers, and announced to the groups of the others.

The publisher drops a connection that is gone from the order. It hands a connection that it could not serve in time to
the replay queue, which catches it up and joins it again, so that a slow socket neither delays the order nor misses a
frame. The publisher drops a connection that is still slow at the last try.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from chalicelib.domain.orders import Order
from chalicelib.ports.orders import OrderStore, StoredOrder
from chalicelib.ports.streams import Subscriber
from chalicelib.services.streams.delivery import Deliverer, Delivery, all_of
from chalicelib.services.streams.dropped_sockets import RETRY_SECONDS, DroppedSockets
from chalicelib.services.streams.fan_out import FanOut

log = logging.getLogger(__name__)

_NOTHING: Mapping[Subscriber, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PushResult:
    """The outcome of a push: the subscribers that have every event, those whose connection is gone, and the others.

    ``late``: connections that took too few frames in time. They are in the replay queue, unless they have used up
    their tries.
    """

    served: frozenset[Subscriber]
    gone: frozenset[Subscriber]
    late: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Publisher:
    """``budget_seconds``: the time to push the events of one write to the order's own subscribers."""

    orders: OrderStore
    deliverer: Deliverer
    dropped_sockets: DroppedSockets
    fan_out: FanOut
    budget_seconds: float

    def publish(self, stored: StoredOrder, known: Mapping[Subscriber, int] = _NOTHING) -> StoredOrder:
        """Publish the order's unpublished events; returns the order as published, with the subscribers that it kept.

        ``known`` has the positions of subscribers that are not at the watermark of the others.
        Never raises: events that could be neither pushed nor handed over go out with the next event.
        """
        order = stored.order
        try:
            served = self._push_to_all(stored, known) if stored.subscribers else stored.subscribers
            if stored.published < order.seq:
                self.fan_out.announce(stored)
        except Exception:
            # A failure to publish must not stop the trade.
            log.exception("not published", extra={"orderId": order.order_id})
            return stored
        return replace(stored, published=order.seq, subscribers=served)

    def push(self, order: Order, positions: Mapping[Subscriber, int], tries: int = 0) -> PushResult:
        """Push to each subscriber the events after its position. Some may be gone or too slow.

        ``tries`` counts the earlier pushes that could not serve these subscribers.
        """
        deliveries = self.deliverer.deliver(order, positions, self.budget_seconds)
        gone = [one for one in deliveries if one.gone]
        late = tuple(one for one in deliveries if not one.gone and one.delivered < order.seq)
        self.dropped_sockets.drop(order, gone, late, tries)
        return PushResult(all_of(deliveries) - all_of(gone) - all_of(late), all_of(gone), late)

    def _push_to_all(self, stored: StoredOrder, known: Mapping[Subscriber, int]) -> frozenset[Subscriber]:
        """Push to the order's own subscribers, and remove those that were not served; returns the others."""
        order_id, monotonic = stored.order.order_id, self.deliverer.monotonic
        positions = {one: known.get(one, stored.published) for one in stored.subscribers}
        result = self.push(stored.order, {one: max(seq, one.after_seq or 0) for one, seq in positions.items()})
        pushed = monotonic()
        if left := stored.subscribers - result.served:
            self.orders.leave(order_id, left)
        if result.late and monotonic() >= pushed + RETRY_SECONDS:
            # The removal took longer than the pause before the replay, which may already have joined the socket again
            # before the removal undid that. Queue it once more.
            self.dropped_sockets.retry(order_id, result.late)
        return result.served
