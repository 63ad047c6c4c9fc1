"""Fan-out: the subscribers of an order that are too many for the order's item, in groups that functions serve."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from chalicelib.domain.orders import Order
from chalicelib.ports.queues import MessageQueue
from chalicelib.ports.streams import Subscriber


@dataclass(frozen=True, slots=True)
class SubscriberGroup:
    """A group of an order's subscribers, as a lease of it found them.

    Every member has the events up to ``delivered``. A joining subscriber has those up to its own ``after_seq``.
    ``version`` counts the changes of the subscribers.
    """

    order_id: str
    number: int
    members: frozenset[Subscriber] = frozenset()
    joining: frozenset[Subscriber] = frozenset()
    delivered: int = 0
    version: int = 0

    @property
    def is_empty(self) -> bool:
        return not self.members and not self.joining

    @property
    def positions(self) -> dict[Subscriber, int]:
        """The last ``seq`` that each subscriber has."""
        return {one: self.delivered for one in self.members} | {one: one.after_seq or 0 for one in self.joining}


@dataclass(frozen=True, slots=True)
class GroupMessage:
    """A message of the fan-out queue: the group may lack events of its order."""

    order_id: str
    number: int


class SubscriberGroups(Protocol):
    """The groups. One worker at a time serves a group, under a lease, so that no event overtakes another."""

    def get(self, order_id: str, number: int) -> SubscriberGroup | None: ...

    def add(
        self,
        order_id: str,
        number: int,
        joining: Collection[Subscriber],
        expires_at: int,
        full_at: int | None = None,
    ) -> bool:
        """Add subscribers that join after their own ``after_seq``.

        ``expires_at`` (seconds since the epoch) is the time by which all their connections are closed. False, and no
        effect, if the group has ``full_at`` members, or as many joining subscribers.
        """
        ...

    def remove(self, order_id: str, number: int, subscribers: Collection[Subscriber]) -> None:
        """Remove these entries, members and joining ones."""
        ...

    def lease(self, order_id: str, number: int, owner: str, until_ms: int) -> SubscriberGroup | None:
        """Lease a group; ``None`` if there is none.

        :raises GroupLeasedError: while another owner's lease is valid. That owner will find the group changed, and
            serve it again before it returns the lease.
        :raises ContendedError: if leases began and ended at every try. No owner learns of this caller.
        """
        ...

    def renew(self, order_id: str, number: int, owner: str, until_ms: int) -> SubscriberGroup | None:
        """Extend the lease that the owner still holds; ``None`` if the owner holds none, or there is no group."""
        ...

    def replace(self, found: SubscriberGroup, left: SubscriberGroup, owner: str) -> bool:
        """Store what a served group has become, and return its lease. A group without subscribers is deleted.

        False, and no effect, if subscribers have changed since ``found``, or the lease has ended. Also false if the
        answer of a first try was lost: ``renew`` tells the cases apart.
        """
        ...


class GroupLeasedError(Exception):
    """Another worker leases the group. Its lease is marked as changed: it serves the group again before it leaves."""


class FanOutQueue(MessageQueue, Protocol):
    def send(self, order: Order, numbers: Collection[int]) -> None:
        """Queue groups of an order for the ``fan_out`` function.

        :raises Exception: if the queue refuses one of them.
        """
        ...
