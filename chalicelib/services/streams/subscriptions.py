"""Subscriptions without a gap: push the past events, then join if no event has followed, else repeat.

The join is a write on the order item that holds only while the order is at the last pushed ``seq``. Earlier events
were pushed before; the write of each later event returns the new subscriber to its writer. No event falls between,
and none overtakes another.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from chalicelib.domain.errors import OrderNotFoundError
from chalicelib.domain.identity import Caller, Scope
from chalicelib.ports.orders import Followers, OrderStore, StoredOrder
from chalicelib.ports.streams import MAX_DIRECT_SUBSCRIBERS, StreamStore, Subscriber, settled
from chalicelib.services.orders.lookup import find_order, own_order
from chalicelib.services.streams.delivery import Delivery
from chalicelib.services.streams.fan_out import FanOut
from chalicelib.services.streams.publisher import Publisher, PushResult


@dataclass(frozen=True, slots=True)
class Subscriptions:
    orders: OrderStore
    streams: StreamStore
    publisher: Publisher
    fan_out: FanOut

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
        """Leave an order. One that the caller may not access has no subscription of the caller's."""
        caller.require(Scope.READ)
        if stored := own_order(caller, self.orders, order_id):
            self.leave(stored, subscriber)

    def leave(self, stored: StoredOrder, subscriber: Subscriber) -> None:
        order_id = stored.order.order_id
        # The stored subscriber may have a position of its own.
        mine = [one for one in stored.subscribers if settled(one) == subscriber]
        if mine:
            self.orders.leave(order_id, mine)
        self.fan_out.leave(stored, subscriber)

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
        positions = _positions({subscriber} | others, pushed)
        if stored.groups and self.fan_out.join_own_group(stored, subscriber.connection_id, positions):
            return True
        return not self.catch_up(stored, {subscriber} | others, pushed, tries).gone

    def catch_up(
        self,
        stored: StoredOrder,
        subscribers: Collection[Subscriber],
        pushed: int,
        tries: int = 0,
    ) -> PushResult:
        """Push the events after ``pushed`` and join the subscribers that took them."""
        gone: frozenset[Subscriber] = frozenset()
        late: tuple[Delivery, ...] = ()
        # The loop is bounded: a further round needs a further event, and an order has a bounded number of events.
        while subscribers:
            order = stored.order
            result = self.publisher.push(order, _positions(subscribers, pushed), tries)
            subscribers, gone, late = result.served, gone | result.gone, late + result.late
            pushed = order.seq
            # After a terminal status no event follows, so there is no reason to join.
            if not subscribers or order.is_terminal:
                break
            if self._need_groups(stored, subscribers):
                self.fan_out.join(stored, _positions(subscribers, pushed))
                break
            if self.orders.join(order.order_id, subscribers, pushed):
                break
            stored = self._get(order.order_id)
        return PushResult(frozenset(subscribers), gone, late)

    def _need_groups(self, stored: StoredOrder, subscribers: Collection[Subscriber]) -> bool:
        """True if the order has no room for the subscribers, or has groups, which may have their connections."""
        return bool(stored.groups) or len(stored.subscribers | set(subscribers)) > MAX_DIRECT_SUBSCRIBERS

    def is_subscribed(self, stored: StoredOrder, subscriber: Subscriber) -> bool:
        return subscriber in stored.subscribers or self.fan_out.is_member(stored, subscriber)

    def follow_order(self, stored: StoredOrder, subscriber: Subscriber, tries: int = 0) -> PushResult:
        """Push the order's latest frame, and join a follower to the order.

        A connection that is subscribed to the order already first receives what it lacks: otherwise the latest frame
        would come before its predecessors, and a client that resumes after it would miss those.
        """
        return self.catch_up(stored, {subscriber}, self._latest_for(stored, subscriber.connection_id), tries)

    def _latest_for(self, stored: StoredOrder, connection_id: str) -> int:
        """The position before the latest frame, or a connection's own position if that is earlier."""
        before_latest = stored.order.seq - 1
        if any(one.connection_id == connection_id for one in stored.subscribers):
            return min(before_latest, stored.published)
        in_group = self.fan_out.position(stored, connection_id)
        return before_latest if in_group is None else min(before_latest, in_group)

    def subscribe_followers(self, order_id: str) -> None:
        """Subscribe the followers of an order's user to the order, and push its events to them.

        :raises OrderNotFoundError: if there is no such order.
        """
        stored = self._get(order_id)
        if stored.followers is Followers.SUBSCRIBED:
            # The worker that subscribed them may have died before it queued their groups.
            self.fan_out.announce(stored)
            return
        user_id = stored.order.spec.user_id
        followers = self.streams.followers(user_id) - stored.subscribers
        if not followers:
            self.streams.drop_unfollowed(user_id)
        elif self._need_groups(stored, followers):
            self.fan_out.join(stored, dict.fromkeys(followers, 0))
        else:
            self.catch_up(stored, followers, pushed=0)
        self.orders.mark_followers_subscribed(order_id)

    def with_followers(self, stored: StoredOrder) -> StoredOrder:
        """The order, marked if its user has followers that are not subscribed yet."""
        is_awaited = stored.followers is Followers.NONE and self.streams.is_followed(stored.order.spec.user_id)
        return replace(stored, followers=Followers.AWAITED) if is_awaited else stored

    def ensure_followers(self, stored: StoredOrder) -> StoredOrder:
        """The order, so marked if its API handler may have died before it notified the followers."""
        return stored if stored.published else self.with_followers(stored)

    def _get(self, order_id: str) -> StoredOrder:
        stored = self.orders.get(order_id)
        if stored is None:
            raise OrderNotFoundError(order_id)
        return stored


def _positions(subscribers: Collection[Subscriber], pushed: int) -> dict[Subscriber, int]:
    return {one: max(pushed, one.after_seq or 0) for one in subscribers}
