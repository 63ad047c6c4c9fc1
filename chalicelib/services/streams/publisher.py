"""Publishing of events: pushed to the order's own subscribers, and announced to the groups of the others.

The publisher drops a connection that is gone from the order. It hands a connection that it could not serve in time to
the replay queue, which catches it up and joins it again, so that a slow socket neither delays the order nor misses a
frame. A connection that is still slow at the last try is closed.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from chalicelib.domain.orders import Order
from chalicelib.ports.orders import Followers, OrderStore, StoredOrder
from chalicelib.ports.streams import Subscriber
from chalicelib.services.streams.delivery import Deliverer, Delivery, all_of
from chalicelib.services.streams.dropped_sockets import (
    MAX_PUSH_DELAY_SECONDS,
    NO_LAG,
    RETRY_SECONDS,
    DroppedSockets,
    Lag,
)
from chalicelib.services.streams.fan_out import FanOut

log = logging.getLogger(__name__)

_NOTHING: Mapping[Subscriber, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PushResult:
    """The outcome of a push: the subscribers that have every event, those whose connection is gone, and the others.

    ``late``: connections that took too few frames in time. They are in the replay queue, or closed if they have used
    up their tries.
    """

    served: frozenset[Subscriber]
    gone: frozenset[Subscriber]
    late: tuple[Delivery, ...]

    def then(self, other: "PushResult") -> "PushResult":
        """The result of this push and of one that followed it, to some of the connections that this one served."""
        served = self.served - other.gone - all_of(other.late)
        return PushResult(served, self.gone | other.gone, self.late + other.late)


@dataclass(frozen=True, slots=True)
class Publisher:
    """``budget_seconds``: the time to push the events of one write to the order's own subscribers.

    Events that a dead worker left unpushed may find the client of a user's stream away. It comes back with a later
    time, so the order notes the late push for its replay.
    """

    orders: OrderStore
    deliverer: Deliverer
    dropped_sockets: DroppedSockets
    fan_out: FanOut
    budget_seconds: float
    now: Callable[[], datetime]

    def publish(self, stored: StoredOrder, known: Mapping[Subscriber, int] = _NOTHING) -> StoredOrder:
        """Publish the order's unpublished events; returns the order as published, with the subscribers that it kept.

        ``known`` has the positions of subscribers that are not at the watermark of the others.
        Never raises: events that could be neither pushed nor handed over go out with the next event.
        """
        order = stored.order
        try:
            if is_late := self.is_late(stored):
                self.orders.note_late_push(stored, self.now())
            served = self._push_to_all(stored, known) if stored.subscribers else stored.subscribers
            if stored.published < order.seq:
                self.fan_out.announce(stored)
            if is_late and order.is_terminal and stored.followers is not Followers.AWAITED:
                # A follower that came back before this push found the order over, and has not joined it.
                self.fan_out.notify_followers(order.order_id)
        except Exception:
            # A failure to publish must not stop the trade.
            log.exception("not published", extra={"orderId": order.order_id})
            return stored
        return replace(stored, published=order.seq, subscribers=served)

    def is_late(self, stored: StoredOrder) -> bool:
        """True if the first unpublished event is so old that clients may have come back with later times."""
        unpublished = stored.order.events[stored.published :]
        return bool(unpublished) and self.now() - unpublished[0].at > timedelta(seconds=MAX_PUSH_DELAY_SECONDS)

    def push(self, order: Order, positions: Mapping[Subscriber, int], lag: Lag = NO_LAG) -> PushResult:
        """Push to each subscriber the events after its position. Some may be gone or too slow.

        ``lag`` is how far these subscribers are behind.
        """
        return self._result(order, self.deliverer.deliver(order, positions, self.budget_seconds), lag)

    def push_live(self, order: Order, subscribers: Iterable[Subscriber], lag: Lag = NO_LAG) -> PushResult:
        """Push the live frame of an order's stream to the subscribers that await it. They have joined the order."""
        awaiting = {one: order.seq for one in subscribers if one.awaits_live}
        return self._result(order, self.deliverer.deliver(order, awaiting, self.budget_seconds, awaiting.keys()), lag)

    def _result(self, order: Order, deliveries: Sequence[Delivery], lag: Lag) -> PushResult:
        gone = [one for one in deliveries if one.gone]
        late = tuple(one for one in deliveries if not one.gone and (one.failed or one.lacks(order)))
        self.dropped_sockets.drop(order, gone, late, lag)
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
