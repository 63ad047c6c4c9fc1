"""Delivery of an order's events to connections: side by side, and in order on each of them."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass

from chalicelib.domain.events import Event
from chalicelib.domain.orders import Order
from chalicelib.ports.streams import ConnectionGoneError, PushFailedError, Sockets, Subscriber

log = logging.getLogger(__name__)

#: Makes the frame of an order's event, coarse or not.
FrameBuilder = Callable[[Order, Event, bool], str]


@dataclass(slots=True)
class Delivery:
    """The progress of one connection: its position before, and the last ``seq`` that it has.

    ``failed``: the connection did not take a frame. A connection that is neither gone nor failed may still lack
    events, because the time was up.
    """

    subscribers: tuple[Subscriber, ...]
    previous: int
    delivered: int
    gone: bool = False
    failed: bool = False

    @property
    def connection_id(self) -> str:
        return self.subscribers[0].connection_id

    @property
    def coarse(self) -> bool:
        return self.subscribers[0].coarse


class Deliverer:
    def __init__(
        self, sockets: Sockets, executor: Executor, monotonic: Callable[[], float], build_frame: FrameBuilder
    ) -> None:
        self._sockets = sockets
        self._executor = executor
        self._build_frame = build_frame
        self.monotonic = monotonic

    def deliver(self, order: Order, positions: Mapping[Subscriber, int], seconds: float) -> list[Delivery]:
        """Push to each connection the events after its position, for about ``seconds``.

        A connection with several subscriptions begins at the earliest of their positions.
        """
        deadline = self.monotonic() + seconds
        deliveries = _by_connection(positions)
        late = [one for one in deliveries if one.delivered < order.seq]
        frames = self._frames(order, late)
        if len(late) == 1:
            self._serve(late[0], order.events, frames, deadline)
        else:
            wait([self._executor.submit(self._serve, one, order.events, frames, deadline) for one in late])
        return deliveries

    def _frames(self, order: Order, deliveries: Sequence[Delivery]) -> Mapping[bool, Mapping[int, str]]:
        """The frames that the deliveries need, by grain and ``seq``."""
        first = min((one.delivered for one in deliveries), default=order.seq)
        return {
            coarse: {event.seq: self._build_frame(order, event, coarse) for event in order.events[first:]}
            for coarse in {one.coarse for one in deliveries}
        }

    def _serve(
        self, delivery: Delivery, events: Sequence[Event], frames: Mapping[bool, Mapping[int, str]], deadline: float
    ) -> None:
        """Push to one connection until it has every event, or a push fails, or the time is up."""
        texts = frames[delivery.coarse]
        for event in events[delivery.delivered :]:
            if self.monotonic() > deadline:
                return
            try:
                self._sockets.push(delivery.connection_id, texts[event.seq])
            except ConnectionGoneError:
                delivery.gone = True
                return
            except PushFailedError:
                delivery.failed = True
                return
            except Exception:
                # No other thread would see it, and the connection would count as late for ever.
                log.exception("push failed", extra={"connectionId": delivery.connection_id})
                delivery.failed = True
                return
            delivery.delivered = event.seq


def _by_connection(positions: Mapping[Subscriber, int]) -> list[Delivery]:
    subscribers: dict[str, list[Subscriber]] = {}
    for subscriber in positions:
        subscribers.setdefault(subscriber.connection_id, []).append(subscriber)
    starts = {connection: min(positions[one] for one in mine) for connection, mine in subscribers.items()}
    return [Delivery(tuple(mine), starts[one], starts[one]) for one, mine in subscribers.items()]


def all_of(deliveries: Iterable[Delivery]) -> frozenset[Subscriber]:
    """The subscribers of these connections."""
    return frozenset(subscriber for delivery in deliveries for subscriber in delivery.subscribers)
