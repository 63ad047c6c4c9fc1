"""Fan-out: an order's item holds a handful of subscribers, and all further ones are in groups of their own.

Writers of the order do not push to the groups. They queue a message for each group, and the ``fan_out`` function
serves the groups side by side. However many subscribers an order has, its item stays small and its writers fast.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zlib import crc32

from chalicelib.domain.status import Status
from chalicelib.ports.fan_out import FanOutQueue, SubscriberGroups
from chalicelib.ports.orders import Followers, OrderStore, StoredOrder
from chalicelib.ports.queues import ReplayQueue
from chalicelib.ports.streams import NotifyFollowers, Subscriber, settled
from chalicelib.services.streams.connections import expiry

#: The group of a small crowd, and how many members or joining subscribers it takes about.
FIRST_GROUP = 0
MAX_FIRST_GROUP = 32
#: Groups of a large one beside it. One call sends the messages of all, and as many functions serve one order at most.
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

    def join(self, stored: StoredOrder, positions: Mapping[Subscriber, int]) -> None:
        """Add subscribers to the order's groups; each receives the events after its position."""
        numbers = self._add(stored, _joining(positions))
        self._queue_joined(stored, numbers, min(positions.values()))

    def join_own_group(self, stored: StoredOrder, connection_id: str, positions: Mapping[Subscriber, int]) -> bool:
        """Add further subscriptions of a connection to the group that has one of it; False if no group has.

        The worker of the group pushes to a connection from the earliest of its positions, so that no live frame comes
        between the frames of the replay.
        """
        for number, entries in self._entries(stored, connection_id):
            if entries:
                self.groups.add(stored.order.order_id, number, _joining(positions), self._expires_at())
                # The worker of the group pushes the live frame, also without an event.
                least = 0 if any(one.awaits_live for one in positions) else min(positions.values())
                self._queue_joined(stored, {number}, least)
                return True
        return False

    def position(self, stored: StoredOrder, connection_id: str) -> int | None:
        """The earliest position of a connection in the order's groups; ``None`` if it is in none."""
        return min(
            (seq for _, entries in self._entries(stored, connection_id) for seq in entries.values()), default=None
        )

    def _queue_joined(self, stored: StoredOrder, numbers: set[int], least: int) -> None:
        """Queue the groups of joining subscribers if these lack events after ``least``.

        The subscribers are in their groups before the order names the groups, and the order is read last: the writer
        of each later event queues the groups, and a message covers each earlier event that they lack.
        """
        order_id = stored.order.order_id
        if not numbers <= stored.groups:
            self.orders.add_groups(order_id, numbers)
        current = self.orders.get(order_id) or stored
        if not numbers <= current.groups:
            # A worker found a group absent before it was there, and removed its number.
            self.orders.add_groups(order_id, numbers)
            current = self.orders.get(order_id) or current
        if least < current.order.seq:
            self.queue.send(stored.order, numbers)

    def _add(self, stored: StoredOrder, joining: Sequence[Subscriber]) -> set[int]:
        """Add subscribers to groups, and return the numbers of these."""
        order_id = stored.order.order_id
        expires_at = self._expires_at()
        is_small = stored.groups <= {FIRST_GROUP} and len(joining) <= MAX_FIRST_GROUP
        if is_small and self.groups.add(order_id, FIRST_GROUP, joining, expires_at, MAX_FIRST_GROUP):
            return {FIRST_GROUP}
        by_number: dict[int, list[Subscriber]] = {}
        for subscriber in joining:
            by_number.setdefault(group_of(subscriber.connection_id), []).append(subscriber)
        for number, subscribers in by_number.items():
            self.groups.add(order_id, number, subscribers, expires_at)
        return set(by_number)

    def _expires_at(self) -> int:
        return expiry(self.now(), self.connection_hours)

    def is_member(self, stored: StoredOrder, subscriber: Subscriber) -> bool:
        return any(
            settled(one) == subscriber
            for _, entries in self._entries(stored, subscriber.connection_id)
            for one in entries
        )

    def leave(self, stored: StoredOrder, subscriber: Subscriber) -> None:
        for number, entries in self._entries(stored, subscriber.connection_id):
            if mine := {one for one in entries if settled(one) == subscriber}:
                # A worker may settle an entry meanwhile, which then has no position of its own.
                self.groups.remove(stored.order.order_id, number, {*mine, subscriber})

    def _entries(self, stored: StoredOrder, connection_id: str) -> Iterator[tuple[int, dict[Subscriber, int]]]:
        """The entries of a connection with their positions, in every group that may have some."""
        for number in stored.groups & {FIRST_GROUP, group_of(connection_id)}:
            if group := self.groups.get(stored.order.order_id, number):
                found = group.positions
                yield number, {one: found[one] for one in found if one.connection_id == connection_id}


def group_of(connection_id: str) -> int:
    """The number of a connection's group, unless that is the first one."""
    return 1 + crc32(connection_id.encode()) % GROUPS


def _joining(positions: Mapping[Subscriber, int]) -> list[Subscriber]:
    return [replace(one, after_seq=position) for one, position in positions.items()]
