"""Bringing events to subscribers: in order on every socket, within a budget, and never for ever.

A connection that is gone is dropped from the order. One that could not be served in time is taken off the
order too and handed to the stream queue, which catches it up and lets it join again, so that a slow socket
neither holds the order up nor misses a frame. One that stays so is given up in the end.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass, replace

from chalicelib.api.frames import update_frame
from chalicelib.domain.orders import Event, Order
from chalicelib.ports.orders import OrderStore, StoredOrder
from chalicelib.ports.queues import ReplayQueue
from chalicelib.ports.streams import ConnectionGoneError, PushFailedError, Replay, Sockets, StreamStore, Subscriber

log = logging.getLogger(__name__)

#: A socket that could not be served is given this long before it is tried again, and each time twice as long.
LATE_SECONDS = 2
#: After so many tries, some twenty minutes, it is given up.
LATE_TRIES = 9


@dataclass(slots=True)
class _Delivery:
    """How far one connection got."""

    subscribers: list[Subscriber]
    told: int
    delivered: int
    gone: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class PushResult:
    """Who is served and still there, and who is gone. The rest was handed to the stream queue."""

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
    ) -> None:
        self._sockets = sockets
        self._orders = orders
        self._streams = streams
        self._replays = replays
        self._executor = executor
        self._monotonic = monotonic
        self._budget = budget_seconds

    def publish(self, stored: StoredOrder) -> StoredOrder:
        """Push what the order's subscribers have not been told yet; returns it marked as told.

        Never raises: what could not be told or handed over is told with the next event.
        """
        order = stored.order
        try:
            if stored.subscribers:
                self.push(order, order.events[stored.published :], stored.subscribers)
        except Exception:
            # The trade goes on, whatever keeps its followers from being told.
            log.exception("not published", extra={"orderId": order.order_id})
            return stored
        return replace(stored, published=order.seq)

    def push(
        self, order: Order, events: Sequence[Event], subscribers: Collection[Subscriber], tries: int = 0
    ) -> PushResult:
        """Push events to subscribers, of whom some may be gone or too slow.

        ``tries`` is how often these could not be served before: each time they are given longer, and at last up.
        """
        if not events or not subscribers:
            return PushResult(frozenset(subscribers))
        by_connection: dict[str, list[Subscriber]] = {}
        for subscriber in subscribers:
            by_connection.setdefault(subscriber.connection_id, []).append(subscriber)
        frames = {
            coarse: [update_frame(order, event, coarse=coarse) for event in events]
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

    def _drop(self, order: Order, deliveries: Sequence[_Delivery], tries: int) -> None:
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
                # One that takes frames, if slowly, is not on its way out.
                tries=1 if delivery.delivered > delivery.told else tries + 1,
            )
            for delivery in unserved
            if delivery.failed
            for subscriber in delivery.subscribers
        ]
        log.info("sockets dropped", extra={"orderId": order.order_id, "gone": len(leaving) - len(late)})
        if not late or tries >= LATE_TRIES:
            self._orders.leave(order.order_id, leaving)
        else:
            # Handed over before it is taken off: a worker lost in between leaves a frame told twice, and none untold.
            delay = LATE_SECONDS * 2**tries
            came_at = self._monotonic() + delay
            self._replays.send(late, delay_seconds=delay)
            self._orders.leave(order.order_id, leaving)
            if self._monotonic() >= came_at:
                # It may have been joined again by then, and this slow leave has undone just that.
                self._replays.send(late, delay_seconds=delay)
        for subscriber in (one for delivery in unserved if delivery.gone for one in delivery.subscribers):
            if subscriber.via_user:
                self._streams.unfollow(order.spec.user_id, subscriber)


def _all_of(deliveries: Iterable[_Delivery]) -> frozenset[Subscriber]:
    return frozenset(subscriber for delivery in deliveries for subscriber in delivery.subscribers)
