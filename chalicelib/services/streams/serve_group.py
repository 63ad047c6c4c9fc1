"""The service of one group of subscribers: push what each lacks, and store their positions.

A worker leases the group, reads the order and pushes to all connections of the group. It returns the lease by a write
that holds only if no subscriber came or left meanwhile, and otherwise serves the group once more. A worker that finds
the group leased marks it as changed and leaves. So one worker at a time serves a group, in the sequence of the
events, and each message is answered by a round that began after it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.errors import OrderNotFoundError
from chalicelib.domain.orders import Order
from chalicelib.observability import streams as observe
from chalicelib.observability.context import concerns
from chalicelib.ports.fan_out import FanOutQueue, SubscriberGroup, SubscriberGroups
from chalicelib.ports.orders import OrderStore, StoredOrder
from chalicelib.ports.streams import Subscriber, settled
from chalicelib.services.streams.delivery import Deliverer, Delivery, all_of
from chalicelib.services.streams.dropped_sockets import DroppedSockets


@dataclass(slots=True)
class _Progress:
    """What a worker has done for a group since it leased it.

    ``positions`` has the subscribers that it pushed to, ``live`` those that have their live frame, and ``dropped``
    those that leave the group.
    """

    positions: dict[Subscriber, int] = field(default_factory=dict)
    live: set[Subscriber] = field(default_factory=set)
    dropped: set[Subscriber] = field(default_factory=set)

    def to_serve(self, group: SubscriberGroup) -> dict[Subscriber, int]:
        """The position of every subscriber to push to."""
        return {
            one: self.positions.get(one, stored) for one, stored in group.positions.items() if one not in self.dropped
        }

    def awaiting_live(self, group: SubscriberGroup) -> set[Subscriber]:
        return {one for one in self.to_serve(group) if one.awaits_live} - self.live

    def note(self, deliveries: Sequence[Delivery], order: Order) -> None:
        """Note the new positions, and who has the live frame."""
        self.positions |= {subscriber: one.delivered for one in deliveries for subscriber in one.subscribers}
        self.live |= all_of(one for one in deliveries if not one.lacks(order))

    def left(self, group: SubscriberGroup, order: Order) -> SubscriberGroup:
        """The group with the new positions. After a terminal event no subscriber that has it needs the group."""
        served, awaiting = self.to_serve(group), self.awaiting_live(group)
        lacking = {one for one, position in served.items() if position < order.seq} | awaiting
        ahead = {one for one, position in served.items() if position > order.seq and not order.is_terminal}
        joining = {replace(one if one in lacking else settled(one), after_seq=served[one]) for one in lacking | ahead}
        members = set() if order.is_terminal else {settled(one) for one in served.keys() - lacking - ahead}
        return replace(group, members=frozenset(members), joining=frozenset(joining), delivered=order.seq)


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
        :raises Exception: if the replay queue refuses a slow connection, which then stays in the group.
        """
        deadline = self.deliverer.monotonic() + self.serve_seconds
        group = self.groups.lease(order_id, number, owner, self._until_ms())
        if group is None and self._remove_number(order_id, number):
            # A subscriber that joined just before the removal of the number needs this message.
            group = self.groups.lease(order_id, number, owner, self._until_ms())
        progress = _Progress()
        while group:
            order = self._named(order_id, number)
            seconds = max(deadline - self.deliverer.monotonic(), 0)
            awaiting = progress.awaiting_live(group)
            deliveries = self.deliverer.deliver(order, progress.to_serve(group), seconds, awaiting)
            refusal = self._drop(order, deliveries, progress)
            left = progress.left(group, order)
            if self.groups.replace(group, left, owner):
                observe.group_served(number)
                self._go_on(order, left, refusal)
                return
            group = self.groups.renew(order_id, number, owner, self._until_ms())
            if group is None:
                # Another worker may have served the group meanwhile: its stored positions are the newer ones.
                progress = _Progress()
                group = self.groups.lease(order_id, number, owner, self._until_ms())

    def _until_ms(self) -> int:
        return to_ms(self.now()) + self.lease_seconds * 1000

    def _remove_number(self, order_id: str, number: int) -> bool:
        """Remove the number of an absent group from its order, whose writers would queue it for nothing.

        False if the order does not name the group, or has no later event.
        """
        stored = self._get(order_id)
        if stored.order.is_terminal or number not in stored.groups:
            return False
        self.orders.remove_group(order_id, number)
        return True

    def _named(self, order_id: str, number: int) -> Order:
        """The order, which names the group also if a worker has removed the number since the group was absent."""
        stored = self._get(order_id)
        if stored.order.is_terminal or number in stored.groups:
            return stored.order
        self.orders.add_groups(order_id, [number])
        return self._get(order_id).order

    def _get(self, order_id: str) -> StoredOrder:
        stored = self.orders.get(order_id)
        if stored is None:
            raise OrderNotFoundError(order_id)
        concerns(stored.order)
        return stored

    def _drop(self, order: Order, deliveries: Sequence[Delivery], progress: _Progress) -> Exception | None:
        """Note the positions, and drop the connections that were not served; returns why some were not dropped."""
        progress.note(deliveries, order)
        gone, failed = [one for one in deliveries if one.gone], [one for one in deliveries if one.failed]
        progress.dropped |= all_of(gone)
        try:
            self.dropped_sockets.drop(order, gone, failed)
        except Exception as error:
            # Raised here, it would keep the lease, and the others would wait for its end.
            return error
        progress.dropped |= all_of(failed)
        return None

    def _go_on(self, order: Order, left: SubscriberGroup, refusal: Exception | None) -> None:
        """Let a further message serve those that lack events: this one again after a refusal, otherwise a new one."""
        if refusal:
            raise refusal
        if any(one.awaits_live or (one.after_seq or 0) < order.seq for one in left.joining):
            self.queue.send(order, [left.number])
