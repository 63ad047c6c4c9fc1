"""Subscriptions without a gap: push the past events, then join if no event has followed, else repeat.

The join is a write on the order item that holds only while the order is at the last pushed ``seq``. Earlier events
were pushed before; the write of each later event returns the new subscriber to its writer. No event falls between,
and none overtakes another.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from chalicelib.domain.errors import OrderNotFoundError
from chalicelib.domain.identity import Caller, Scope
from chalicelib.ports.orders import OrderStore, StoredOrder, UnreadableOrderError
from chalicelib.ports.queues import ReplayQueue
from chalicelib.ports.streams import FollowUser, NotifyFollowers, StreamStore, Subscriber
from chalicelib.services.orders.lookup import find_order, user_for
from chalicelib.services.streams.publisher import Publisher

log = logging.getLogger(__name__)

#: The index of a user's orders lags behind the table, so a follow queries it again, this many seconds after the
#: query before.
LOOK_DELAYS_SECONDS = (1, 4)


@dataclass(frozen=True, slots=True)
class Subscriptions:
    orders: OrderStore
    streams: StreamStore
    publisher: Publisher
    replays: ReplayQueue

    # --- one order ---------------------------------------------------------------------------------------------

    def join_order(
        self,
        caller: Caller,
        subscriber: Subscriber,
        order_id: str,
        after_seq: int = 0,
        *,
        acknowledge: Callable[[], None] | None = None,
    ) -> bool:
        """Push every event after ``after_seq`` to a connection and subscribe it. False if the connection is gone.

        ``acknowledge`` is called once the order is known to exist, before the first frame.

        :raises OrderNotFoundError: if the caller has no such order.
        """
        stored = find_order(caller, self.orders, order_id)
        return self._join(stored, subscriber, after_seq, acknowledge=acknowledge)

    def rejoin_order(self, subscriber: Subscriber, order_id: str, after_seq: int, tries: int) -> bool:
        """Subscribe a slow connection again, which ``tries`` pushes could not serve. False if it is gone.

        :raises OrderNotFoundError: if there is no such order.
        """
        return self._join(self._get(order_id), subscriber, after_seq, tries=tries)

    def leave_order(self, caller: Caller, subscriber: Subscriber, order_id: str) -> None:
        caller.require(Scope.READ)
        stored = self.orders.get(order_id)
        # The stored subscriber may have a position of its own.
        mine = [one for one in stored.subscribers if replace(one, after_seq=None) == subscriber] if stored else []
        if mine:
            self.orders.leave(order_id, mine)

    def _join(
        self,
        stored: StoredOrder,
        subscriber: Subscriber,
        after_seq: int,
        *,
        tries: int = 0,
        acknowledge: Callable[[], None] | None = None,
    ) -> bool:
        order_id = stored.order.order_id
        present = {one for one in stored.subscribers if one.connection_id == subscriber.connection_id}
        # A new subscription replaces the one before and its position; a retry replaces nothing.
        others = {one for one in present if tries or one.via_user != subscriber.via_user}
        if present:
            # Already subscribed on this connection: remove it first, or live frames would interleave with the replay.
            self.orders.leave(order_id, present)
            stored = self._get(order_id)
        if acknowledge:
            acknowledge()
        if after_seq > stored.order.seq:
            subscriber = replace(subscriber, after_seq=after_seq)
        pushed = min(after_seq, stored.order.seq)
        return not self.catch_up(stored, {subscriber} | others, pushed, tries)

    def catch_up(
        self, stored: StoredOrder, subscribers: Collection[Subscriber], pushed: int, tries: int = 0
    ) -> frozenset[Subscriber]:
        """Push the events after ``pushed`` and join the subscribers; returns those whose connection is gone."""
        order = stored.order
        gone: frozenset[Subscriber] = frozenset()
        # The loop is bounded: a further round needs a further event, and an order has a bounded number of events.
        while subscribers:
            result = self.publisher.push(order, order.events[pushed:], subscribers, tries)
            subscribers, gone = result.served, gone | result.gone
            pushed = order.seq
            # After a terminal status no event follows, so there is no reason to join.
            if not subscribers or order.is_terminal or self.orders.join(order.order_id, subscribers, pushed):
                break
            order = self._get(order.order_id).order
        return gone

    # --- a user's orders ---------------------------------------------------------------------------------------

    def follow_user(self, caller: Caller, subscriber: Subscriber, user_id: str) -> bool:
        """Subscribe a connection to all future orders of a user. False if the connection is not open.

        :raises MissingScopeError: if the caller may not read the user's orders.
        """
        user_for(caller, user_id, Scope.READ)
        return self.streams.follow(user_id, replace(subscriber, via_user=True))

    def queue_look(self, subscriber: Subscriber, user_id: str) -> None:
        """Let the replay queue do the first look: a user may have many orders, and the next message waits."""
        self.replays.send([FollowUser(subscriber, user_id, look=1)])

    def look(self, subscriber: Subscriber, user_id: str, number: int = 0) -> bool:
        """Push the latest frame of each active or open order of the user to a follower, and join it to the order.

        ``number`` counts the looks; each queues the next one. False if the connection is gone.
        """
        subscriber = replace(subscriber, via_user=True)
        if subscriber not in self.streams.followers(user_id):
            return True
        for order_id in self.orders.unfinished_of(user_id):
            try:
                stored = self.orders.get(order_id)
            except UnreadableOrderError:
                log.exception("order skipped, because it is unreadable", extra={"orderId": order_id})
                continue
            if stored is None or stored.order.is_terminal or subscriber in stored.subscribers:
                continue
            if self.catch_up(stored, {subscriber}, pushed=stored.order.seq - 1):
                return False
        if number < len(LOOK_DELAYS_SECONDS):
            self.replays.send(
                [FollowUser(subscriber, user_id, number + 1)], delay_seconds=LOOK_DELAYS_SECONDS[number]
            )
        return True

    def unfollow_user(self, caller: Caller, subscriber: Subscriber, user_id: str) -> None:
        """End a follow, and leave the user's active and open orders."""
        user_for(caller, user_id, Scope.READ)
        subscriber = replace(subscriber, via_user=True)
        self.streams.unfollow(user_id, subscriber)
        for order_id in self.orders.unfinished_of(user_id):
            self.orders.leave(order_id, [subscriber])

    # --- an order's followers ----------------------------------------------------------------------------------

    def notify_followers(self, stored: StoredOrder) -> None:
        """Push an order to those followers of its user that have not joined it."""
        followers = self.streams.followers(stored.order.spec.user_id)
        self.catch_up(stored, followers - stored.subscribers, pushed=0)

    def notify_followers_of(self, order_id: str) -> None:
        """:raises OrderNotFoundError: if there is no such order."""
        self.notify_followers(self._get(order_id))

    def queue_notification(self, order_id: str) -> None:
        """Let the replay queue notify the followers."""
        self.replays.send([NotifyFollowers(order_id)])

    def with_followers(self, stored: StoredOrder) -> StoredOrder:
        """The order with its user's followers subscribed. If one was missing, every event is published again."""
        order = stored.order
        missing = self.streams.followers(order.spec.user_id) - stored.subscribers
        if missing and self.orders.join(order.order_id, missing, order.seq):
            return replace(stored, subscribers=stored.subscribers | missing, published=0)
        return stored

    def ensure_followers(self, stored: StoredOrder) -> StoredOrder:
        """The order with its user's followers subscribed, if its API handler may have died before that."""
        return stored if stored.published else self.with_followers(stored)

    def _get(self, order_id: str) -> StoredOrder:
        stored = self.orders.get(order_id)
        if stored is None:
            raise OrderNotFoundError(order_id)
        return stored
