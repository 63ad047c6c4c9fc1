"""Publishing of events to subscribers: in order on every socket, within a time budget and a number of tries.

The publisher drops a connection that is gone from the order. It hands a connection that it could not serve in time to
the replay queue, which catches it up and joins it again, so that a slow socket neither delays the order nor misses a
frame. The publisher drops a connection that is still slow at the last try.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass, replace

from chalicelib.domain.events import Event
from chalicelib.domain.orders import Order
from chalicelib.ports.orders import OrderStore, StoredOrder
from chalicelib.ports.queues import ReplayQueue
from chalicelib.ports.streams import (
    ConnectionGoneError,
    PushFailedError,
    RetrySocket,
    Sockets,
    StreamStore,
    Subscriber,
)

log = logging.getLogger(__name__)

#: Pause before the first retry of a slow socket; each further pause is twice as long.
RETRY_SECONDS = 2
#: After this many tries, about twenty minutes, the publisher gives a slow socket up.
MAX_SOCKET_TRIES = 9

#: Makes the frame of an order's event, coarse or not.
FrameBuilder = Callable[[Order, Event, bool], str]


@dataclass(slots=True)
class _Delivery:
    """The progress of one connection: the seq it had before, and the last seq it has taken."""

    subscribers: list[Subscriber]
    previous: int
    delivered: int
    gone: bool = False
    failed: bool = False

    @property
    def after_seq(self) -> int:
        """The position from which the connection wants events: the earliest of its subscriptions."""
        return min(subscriber.after_seq or 0 for subscriber in self.subscribers)


@dataclass(frozen=True, slots=True)
class PushResult:
    """The subscribers that were served, and those whose connection is gone. The replay queue has the rest."""

    served: frozenset[Subscriber]
    gone: frozenset[Subscriber] = frozenset()


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
        build_frame: FrameBuilder,
    ) -> None:
        self._sockets = sockets
        self._orders = orders
        self._streams = streams
        self._replays = replays
        self._executor = executor
        self._monotonic = monotonic
        self._budget = budget_seconds
        self._build_frame = build_frame

    def publish(self, stored: StoredOrder) -> StoredOrder:
        """Push the order's unpublished events to its subscribers; returns the order marked as published.

        Never raises: events that could be neither pushed nor handed over go out with the next event.
        """
        order = stored.order
        try:
            if stored.subscribers:
                self.push(order, order.events[stored.published :], stored.subscribers)
        except Exception:
            # A failure to publish must not stop the trade.
            log.exception("not published", extra={"orderId": order.order_id})
            return stored
        return replace(stored, published=order.seq)

    def push(
        self, order: Order, events: Sequence[Event], subscribers: Collection[Subscriber], tries: int = 0
    ) -> PushResult:
        """Push events to subscribers, of which some may be gone or too slow.

        ``tries`` counts the earlier pushes that could not serve these subscribers. Each makes the next pause longer.
        """
        if not events or not subscribers:
            return PushResult(frozenset(subscribers))
        by_connection: dict[str, list[Subscriber]] = {}
        for subscriber in subscribers:
            by_connection.setdefault(subscriber.connection_id, []).append(subscriber)
        frames = {
            coarse: [self._build_frame(order, event, coarse) for event in events]
            for coarse in {subscriber.coarse for subscriber in subscribers}
        }
        deadline = self._monotonic() + self._budget
        deliveries = [_Delivery(mine, events[0].seq - 1, events[0].seq - 1) for mine in by_connection.values()]

        if len(deliveries) == 1:
            self._serve(deliveries[0], events, frames, deadline)
        else:
            wait([self._executor.submit(self._serve, one, events, frames, deadline) for one in deliveries])
        self._drop(order, deliveries, tries)
        return PushResult(
            served=_all_of(one for one in deliveries if not (one.gone or one.failed)),
            gone=_all_of(one for one in deliveries if one.gone),
        )

    def _serve(
        self, delivery: _Delivery, events: Sequence[Event], frames: Mapping[bool, Sequence[str]], deadline: float
    ) -> None:
        """Push to one connection until it has every event, or a push fails, or the budget is used up."""
        connection = delivery.subscribers[0]
        for event, text in zip(events, frames[connection.coarse], strict=True):
            if event.seq <= delivery.after_seq:
                continue
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

    def _drop(self, order: Order, deliveries: Sequence[_Delivery], tries: int) -> None:
        unserved = [delivery for delivery in deliveries if delivery.gone or delivery.failed]
        if not unserved:
            return
        leaving = [subscriber for delivery in unserved for subscriber in delivery.subscribers]
        late = [
            RetrySocket(
                subscriber,
                order.order_id,
                after_seq=delivery.delivered,
                # A slow socket that took at least one frame starts again at try 1.
                tries=1 if delivery.delivered > delivery.previous else tries + 1,
            )
            for delivery in unserved
            if delivery.failed
            for subscriber in delivery.subscribers
        ]
        log.info(
            "sockets dropped", extra={"orderId": order.order_id, "gone": len(leaving) - len(late), "late": len(late)}
        )
        if not late or tries >= MAX_SOCKET_TRIES:
            self._orders.leave(order.order_id, leaving)
        else:
            # Queue the replay before removing the subscriber: a crash in between duplicates a frame instead of losing
            # one.
            delay = RETRY_SECONDS * 2**tries
            replay_at = self._monotonic() + delay
            self._replays.send(late, delay_seconds=delay)
            self._orders.leave(order.order_id, leaving)
            if self._monotonic() >= replay_at:
                # The removal took longer than the delay, so the replay may already have re-joined the socket and the
                # removal undone that. Queue it again.
                self._replays.send(late, delay_seconds=delay)
        for subscriber in (one for delivery in unserved if delivery.gone for one in delivery.subscribers):
            if subscriber.via_user:
                self._streams.unfollow(order.spec.user_id, subscriber)


def _all_of(deliveries: Iterable[_Delivery]) -> frozenset[Subscriber]:
    return frozenset(subscriber for delivery in deliveries for subscriber in delivery.subscribers)
