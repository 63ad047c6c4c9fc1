"""Bringing events to subscribers: in order on every socket, within a budget, and never for ever.

A connection that is gone is dropped from the order. One that could not be served in time is taken off the
order too and handed to the stream queue, which catches it up and lets it join again, so that a slow socket
neither holds the order up nor misses a frame.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass, replace

from chalicelib.domain.orders import Event, Order
from chalicelib.encoding.frames import update_frame
from chalicelib.ports import (
    ConnectionGoneError,
    OrderStore,
    PushFailedError,
    Replay,
    ReplayQueue,
    Sockets,
    StreamStore,
    Subscriber,
    Tracked,
)

log = logging.getLogger(__name__)

#: A socket that could not be served is given this long before it is tried again.
LATE_SECONDS = 2


@dataclass(slots=True)
class _Delivery:
    """How far one connection got."""

    subscribers: list[Subscriber]
    delivered: int
    gone: bool = False
    failed: bool = False


class Publisher:
    def __init__(
        self,
        sockets: Sockets,
        orders: OrderStore,
        streams: StreamStore,
        replays: ReplayQueue,
        executor: Executor,
        monotonic: Callable[[], float],
        budget_seconds: float,
    ) -> None:
        self._sockets = sockets
        self._orders = orders
        self._streams = streams
        self._replays = replays
        self._executor = executor
        self._monotonic = monotonic
        self._budget = budget_seconds

    def publish(self, tracked: Tracked) -> Tracked:
        """Push what the order's subscribers have not been told yet; returns it marked as told."""
        order = tracked.order
        if tracked.subscribers:
            self.push(order, order.events[tracked.published :], tracked.subscribers)
        return replace(tracked, published=order.seq)

    def push(
        self, order: Order, events: Sequence[Event], subscribers: Collection[Subscriber]
    ) -> frozenset[Subscriber]:
        """Push events to subscribers; returns those that are served and still there."""
        if not events or not subscribers:
            return frozenset(subscribers)
        by_connection: dict[str, list[Subscriber]] = {}
        for subscriber in subscribers:
            by_connection.setdefault(subscriber.connection_id, []).append(subscriber)
        frames = {
            coarse: [update_frame(order, event, coarse=coarse) for event in events]
            for coarse in {subscriber.coarse for subscriber in subscribers}
        }
        deadline = self._monotonic() + self._budget
        deliveries = [_Delivery(mine, events[0].seq - 1) for mine in by_connection.values()]

        if len(deliveries) == 1:
            self._serve(deliveries[0], events, frames, deadline)
        else:
            wait([self._executor.submit(self._serve, one, events, frames, deadline) for one in deliveries])
        self._drop(order, deliveries)
        return frozenset(
            subscriber
            for delivery in deliveries
            if not (delivery.gone or delivery.failed)
            for subscriber in delivery.subscribers
        )

    def _serve(
        self, delivery: _Delivery, events: Sequence[Event], frames: Mapping[bool, Sequence[str]], deadline: float
    ) -> None:
        """Push to one connection until all is told, or it fails, or time is up."""
        connection = delivery.subscribers[0]
        for event, text in zip(events, frames[connection.coarse], strict=True):
            if self._monotonic() > deadline:
                delivery.failed = True
                return
            try:
                self._sockets.push(connection.connection_id, text)
            except ConnectionGoneError:
                delivery.gone = True
                return
            except PushFailedError:
                delivery.failed = True
                return
            delivery.delivered = event.seq

    def _drop(self, order: Order, deliveries: Sequence[_Delivery]) -> None:
        unserved = [delivery for delivery in deliveries if delivery.gone or delivery.failed]
        if not unserved:
            return
        leaving = [subscriber for delivery in unserved for subscriber in delivery.subscribers]
        late = [
            Replay(
                connection_id=subscriber.connection_id,
                wanted={"orderId": order.order_id, "afterSeq": delivery.delivered},
                coarse=subscriber.coarse,
                via_user=subscriber.via_user,
            )
            for delivery in unserved
            if delivery.failed
            for subscriber in delivery.subscribers
        ]
        log.info("sockets dropped", extra={"orderId": order.order_id, "gone": len(leaving) - len(late)})
        # Handed over before it is taken off: a worker lost in between leaves a frame told twice, and none untold.
        if late:
            self._replays.send(late, delay_seconds=LATE_SECONDS)
        self._orders.leave(order.order_id, leaving)
        for subscriber in (one for delivery in unserved if delivery.gone for one in delivery.subscribers):
            if subscriber.via_user:
                self._streams.unfollow(order.spec.user_id, subscriber)
