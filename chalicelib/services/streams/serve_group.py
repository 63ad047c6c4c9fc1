"""The service of one group of subscribers: push what each lacks, and store their positions.

A worker leases the group, reads the order and pushes to all connections of the group. It returns the lease by a write
that holds only if no subscriber came or left meanwhile, and otherwise serves the group once more. A worker that finds
the group leased marks it as changed and leaves. So one worker at a time serves a group, in the sequence of the
events, and each message is answered by a round that began after it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.errors import OrderNotFoundError
from chalicelib.domain.orders import Order
from chalicelib.ports.fan_out import FanOutQueue, SubscriberGroup, SubscriberGroups
from chalicelib.ports.orders import OrderStore
from chalicelib.ports.streams import Subscriber
from chalicelib.services.streams.delivery import Deliverer, Delivery
from chalicelib.services.streams.dropped_sockets import DroppedSockets


@dataclass(frozen=True, slots=True)
class ServeGroup:
    """``serve_seconds``: the time after which a worker lets another message continue; a lease lasts
    ``lease_seconds``.
    """

    orders: OrderStore
    groups: SubscriberGroups
    queue: FanOutQueue
    deliverer: Deliverer
    dropped_sockets: DroppedSockets
    now: Callable[[], datetime]
    serve_seconds: float
    lease_seconds: int

    def __call__(self, order_id: str, number: int, owner: str) -> None:
        """Serve a group as ``owner`` until it has every event, or until the time is up.

        :raises GroupLeasedError: while another worker serves the group.
        :raises OrderNotFoundError: if there is no such order.
        """
        deadline = self.deliverer.monotonic() + self.serve_seconds
        progress: dict[Subscriber, int | None] = {}
        while group := self.groups.lease(order_id, number, owner, to_ms(self.now()) + self.lease_seconds * 1000):
            stored = self.orders.get(order_id)
            if stored is None:
                raise OrderNotFoundError(order_id)
            order, seconds = stored.order, deadline - self.deliverer.monotonic()
            deliveries = self.deliverer.deliver(order, _positions(group, progress), max(seconds, 0))
            gone, failed = [one for one in deliveries if one.gone], [one for one in deliveries if one.failed]
            self.dropped_sockets.drop(order, gone, failed)
            progress |= _progress(deliveries)
            left = _left(group, order, progress)
            if not self.groups.replace(group, left, owner):
                continue
            if any((one.after_seq or 0) < order.seq for one in left.joining):
                self.queue.send(order, [number])
            return


def _positions(group: SubscriberGroup, progress: Mapping[Subscriber, int | None]) -> dict[Subscriber, int]:
    """The position of every subscriber to serve. ``progress`` has those that this worker served before."""
    found = {one: group.delivered for one in group.members}
    found |= {one: one.after_seq or 0 for one in group.joining}
    positions = {one: progress.get(one, position) for one, position in found.items()}
    return {one: position for one, position in positions.items() if position is not None}


def _progress(deliveries: list[Delivery]) -> dict[Subscriber, int | None]:
    """The position of each served subscriber; ``None`` for one that the group drops."""
    return {
        subscriber: None if one.gone or one.failed else one.delivered
        for one in deliveries
        for subscriber in one.subscribers
    }


def _left(group: SubscriberGroup, order: Order, progress: Mapping[Subscriber, int | None]) -> SubscriberGroup:
    """The group with the positions of its subscribers. After a terminal event none of them needs the group."""
    served = {
        _settled(one): position
        for one in group.members | group.joining
        if (position := progress.get(one)) is not None
    }
    members = [one for one, position in served.items() if position == order.seq and not order.is_terminal]
    joining = [
        replace(one, after_seq=position)
        for one, position in served.items()
        if position < order.seq or (position > order.seq and not order.is_terminal)
    ]
    return replace(group, members=frozenset(members), joining=frozenset(joining), delivered=order.seq)


def _settled(subscriber: Subscriber) -> Subscriber:
    return replace(subscriber, after_seq=None)
