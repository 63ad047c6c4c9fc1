"""Fan-out: an order's item holds a handful of subscribers, and all further ones are in groups of their own.

Writers of the order do not push to the groups. They queue a message for each group, and the ``fan_out`` function
serves the groups side by side. However many subscribers an order has, its item stays small and its writers fast.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zlib import crc32

from chalicelib.codec.times import to_ms
from chalicelib.domain.status import Status
from chalicelib.ports.fan_out import FanOutQueue, SubscriberGroups
from chalicelib.ports.orders import Followers, OrderStore, StoredOrder
from chalicelib.ports.queues import ReplayQueue
from chalicelib.ports.streams import NotifyFollowers, Subscriber

#: Groups of an order. One call sends the messages of them all, and as many functions serve one order at most.
GROUPS = 8
#: A notification that is still due at the end of an order was lost, or is under way and done after this pause.
_REPEAT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class FanOut:
    """``connection_hours``: the longest time that a connection stays open."""

    orders: OrderStore
    groups: SubscriberGroups
    queue: FanOutQueue
    replays: ReplayQueue
    now: Callable[[], datetime]
    connection_hours: int

    def announce(self, stored: StoredOrder) -> None:
        """Queue the order's groups, which lack its last events.

        :raises Exception: if a queue refuses one of the messages.
        """
        order = stored.order
        if stored.groups:
            self.queue.send(order, stored.groups)
        if stored.followers is not Followers.AWAITED:
            return
        if order.status in (Status.OPEN, Status.TRIGGERED):
            self.notify_followers(order.order_id)
        elif order.is_terminal:
            self.notify_followers(order.order_id, delay_seconds=_REPEAT_SECONDS)

    def notify_followers(self, order_id: str, delay_seconds: int = 0) -> None:
        """Let the replay queue subscribe the followers of the order's user."""
        self.replays.send([NotifyFollowers(order_id)], delay_seconds=delay_seconds)

    def serves(self, stored: StoredOrder, subscriber: Subscriber) -> bool:
        """True if the connection belongs to a group that the order already has."""
        return group_of(subscriber) in stored.groups

    def join(self, stored: StoredOrder, positions: Mapping[Subscriber, int], *, has_followers: bool = False) -> None:
        """Add subscribers to the order's groups; each receives the events after its position.

        ``has_followers``: they are the followers of the order's user.

        The subscribers are in their groups before the order names the groups, and the order is read last: the writer
        of each later event queues the groups, and a message covers each earlier event that they lack.
        """
        order = stored.order
        joining: dict[int, list[Subscriber]] = {}
        for subscriber, position in positions.items():
            joining.setdefault(group_of(subscriber), []).append(replace(subscriber, after_seq=position))
        expires_at = to_ms(self.now()) // 1000 + self.connection_hours * 3600
        for number, subscribers in joining.items():
            self.groups.add(order.order_id, number, subscribers, expires_at)
        if has_followers or not joining.keys() <= stored.groups:
            self.orders.add_groups(order.order_id, joining.keys(), has_followers=has_followers)
        current = self.orders.get(order.order_id) or stored
        if any(position < current.order.seq for position in positions.values()):
            self.queue.send(order, joining.keys())

    def is_member(self, order_id: str, subscriber: Subscriber) -> bool:
        return bool(self._entries(order_id, subscriber))

    def leave(self, order_id: str, subscriber: Subscriber) -> None:
        if entries := self._entries(order_id, subscriber):
            self.groups.remove(order_id, group_of(subscriber), entries)

    def _entries(self, order_id: str, subscriber: Subscriber) -> Collection[Subscriber]:
        group = self.groups.get(order_id, group_of(subscriber))
        everyone = group.members | group.joining if group else ()
        return [one for one in everyone if replace(one, after_seq=None) == subscriber]


def group_of(subscriber: Subscriber) -> int:
    """The number of the group to which all subscriptions of a connection belong."""
    return crc32(subscriber.connection_id.encode()) % GROUPS
