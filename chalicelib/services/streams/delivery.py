"""Delivery of an order's events to connections: side by side, and in order on each of them."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass

from chalicelib.domain.events import Event
from chalicelib.domain.orders import Order
from chalicelib.observability import streams as observe
from chalicelib.ports.streams import ConnectionGoneError, PushFailedError, Sockets, Subscriber

log = logging.getLogger(__name__)

#: Makes the frame of an order's event, coarse or not.
FrameBuilder = Callable[[Order, Event, bool], str]
#: Makes the frame which says that the stream of an order is live, from the order's id and its last ``seq``.
LiveBuilder = Callable[[str, int], str]


@dataclass(slots=True)
class Delivery:
    """The progress of one connection: the last ``seq`` that it has.

    ``awaits_live``: the live frame is still to follow the events. ``failed``: the connection did not take a frame. A
    connection that is neither gone nor failed may still lack frames, because the time was up. ``pushed`` counts the
    frames that it took.
    """

    subscribers: tuple[Subscriber, ...]
    delivered: int
    awaits_live: bool = False
    gone: bool = False
    failed: bool = False
    pushed: int = 0

    @property
    def connection_id(self) -> str:
        return self.subscribers[0].connection_id

    @property
    def coarse(self) -> bool:
        return self.subscribers[0].coarse

    @property
    def is_stopped(self) -> bool:
        return self.gone or self.failed

    def lacks(self, order: Order) -> bool:
        """True if some frame of the order is still to be pushed."""
        return self.delivered < order.seq or self.awaits_live


class Deliverer:
    def __init__(
        self,
        sockets: Sockets,
        executor: Executor,
        monotonic: Callable[[], float],
        build_frame: FrameBuilder,
        build_live: LiveBuilder,
    ) -> None:
        self._sockets = sockets
        self._executor = executor
        self._build_frame = build_frame
        self._build_live = build_live
        self.monotonic = monotonic

    def deliver(
        self,
        order: Order,
        positions: Mapping[Subscriber, int],
        seconds: float,
        awaiting_live: Collection[Subscriber] = (),
    ) -> list[Delivery]:
        """Push to each connection the events after its position, for about ``seconds``.

        The last frame of the connections of ``awaiting_live`` says that the stream of the order is live.
        """
        deadline = self.monotonic() + seconds
        deliveries = _deliveries_of(positions, awaiting_live)
        late = [one for one in deliveries if one.lacks(order)]
        frames, live = self._frames(order, late), self._build_live(order.order_id, order.seq) if awaiting_live else ""
        if len(late) == 1:
            self._serve(late[0], order.events, frames, live, deadline)
        else:
            wait([self._executor.submit(self._serve, one, order.events, frames, live, deadline) for one in late])
        observe.frames_pushed(order, sum(one.pushed for one in late))
        return deliveries

    def _frames(self, order: Order, deliveries: Sequence[Delivery]) -> Mapping[bool, Mapping[int, str]]:
        """The frames that the deliveries need, by grain and ``seq``."""
        first = min((one.delivered for one in deliveries), default=order.seq)
        return {
            coarse: {event.seq: self._build_frame(order, event, coarse) for event in order.events[first:]}
            for coarse in {one.coarse for one in deliveries}
        }

    def _serve(
        self,
        delivery: Delivery,
        events: Sequence[Event],
        frames: Mapping[bool, Mapping[int, str]],
        live: str,
        deadline: float,
    ) -> None:
        """Push to one connection until it has every frame, or a push fails, or the time is up."""
        texts = frames[delivery.coarse]
        for event in events[delivery.delivered :]:
            if self.monotonic() > deadline or not self._push(delivery, texts[event.seq]):
                return
            delivery.delivered = event.seq
        if delivery.awaits_live and self.monotonic() <= deadline and self._push(delivery, live):
            delivery.awaits_live = False

    def _push(self, delivery: Delivery, text: str) -> bool:
        """Push one frame. False if the connection is gone or does not take it, which the delivery then says."""
        try:
            self._sockets.push(delivery.connection_id, text)
            delivery.pushed += 1
        except ConnectionGoneError:
            delivery.gone = True
        except PushFailedError:
            delivery.failed = True
        except Exception:
            # No other thread would see it, and the connection would count as late for ever.
            log.exception("push failed", extra={"connectionId": delivery.connection_id})
            delivery.failed = True
        return not delivery.is_stopped


def _deliveries_of(positions: Mapping[Subscriber, int], awaiting_live: Collection[Subscriber]) -> list[Delivery]:
    """A delivery for each connection, which begins at the earliest of its positions."""
    subscribers: dict[str, list[Subscriber]] = {}
    for subscriber in positions:
        subscribers.setdefault(subscriber.connection_id, []).append(subscriber)
    starts = {connection: min(positions[one] for one in mine) for connection, mine in subscribers.items()}
    return [
        Delivery(tuple(mine), starts[one], awaits_live=not set(mine).isdisjoint(awaiting_live))
        for one, mine in subscribers.items()
    ]


def all_of(deliveries: Iterable[Delivery]) -> frozenset[Subscriber]:
    """The subscribers of these connections."""
    return frozenset(subscriber for delivery in deliveries for subscriber in delivery.subscribers)
