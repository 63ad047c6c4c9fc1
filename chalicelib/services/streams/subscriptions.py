"""Subscriptions without a gap: push the past events, then join if no event has followed, else repeat.

The join is a write on the order item that holds only while the order is at the last pushed ``seq``. Earlier events
were pushed before; the write of each later event returns the new subscriber to its writer. No event falls between,
and none overtakes another.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.errors import OrderNotFoundError
from chalicelib.domain.identity import Caller, Scope
from chalicelib.observability.context import concerns
from chalicelib.ports.orders import Followers, OrderStore, StoredOrder
from chalicelib.ports.streams import MAX_DIRECT_SUBSCRIBERS, RetrySocket, StreamStore, Subscriber, settled
from chalicelib.services.orders.lookup import find_order, own_order
from chalicelib.services.streams.dropped_sockets import NO_LAG, Lag
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
        """Push every event after ``after_seq`` to a connection, subscribe it, and push the live frame.

        ``acknowledge`` is called once the order is known to exist, before the first frame. False if the connection is
        gone.

        :raises OrderNotFoundError: if the caller has no such order.
        """
        stored = find_order(caller, self.orders, order_id)
        return self._join(stored, replace(subscriber, awaits_live=True), after_seq, acknowledge=acknowledge)

    def rejoin_order(self, retry: RetrySocket) -> bool:
        """Subscribe a slow connection again. False if it is gone.

        :raises OrderNotFoundError: if there is no such order.
        """
        stored, lag = self._get(retry.order_id), Lag(retry.tries, retry.late_since_ms)
        concerns(stored.order)
        return self._join(stored, retry.subscriber, retry.after_seq, lag=lag)

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
        lag: Lag = NO_LAG,
        acknowledge: Callable[[], None] | None = None,
    ) -> bool:
        order_id = stored.order.order_id
        present = {one for one in stored.subscribers if one.connection_id == subscriber.connection_id}
        # A new subscription replaces the one before and its position; a retry replaces nothing.
        others = {one for one in present if lag.tries or one.via_user != subscriber.via_user}
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
        return not self.catch_up(stored, {subscriber} | others, pushed, lag).gone

    def catch_up(
        self,
        stored: StoredOrder,
        subscribers: Collection[Subscriber],
        pushed: int,
        lag: Lag = NO_LAG,
    ) -> PushResult:
        """Push the events after ``pushed``, join the subscribers that took them, and push the awaited live frames."""
        result = PushResult(frozenset(subscribers), frozenset(), ())
        # The loop is bounded: a further round needs a further event, and an order has a bounded number of events.
        while result.served:
            order = stored.order
            result = result.then(self.publisher.push(order, _positions(result.served, pushed), lag))
            pushed = order.seq
            if self._has_joined(stored, result.served):
                return result.then(self.publisher.push_live(order, result.served, lag))
            stored = self._get(order.order_id)
        return result

    def _has_joined(self, stored: StoredOrder, subscribers: Collection[Subscriber]) -> bool:
        """Join subscribers that have all events; returns whether they have those that follow in the meantime."""
        order = stored.order
        # After a terminal status no event follows, so there is no reason to join.
        if not subscribers or order.is_terminal:
            return True
        joining = {replace(one, awaits_live=None) for one in subscribers}
        if self._need_groups(stored, joining):
            self.fan_out.join(stored, _positions(joining, order.seq))
            return True
        return self.orders.join(order.order_id, joining, order.seq)

    def _need_groups(self, stored: StoredOrder, subscribers: Collection[Subscriber]) -> bool:
        """True if the order has no room for the subscribers, or has groups, which may have their connections."""
        return bool(stored.groups) or len(stored.subscribers | set(subscribers)) > MAX_DIRECT_SUBSCRIBERS

    def is_subscribed(self, stored: StoredOrder, subscriber: Subscriber) -> bool:
        return subscriber in stored.subscribers or self.fan_out.is_member(stored, subscriber)

    def follow_order(
        self, stored: StoredOrder, subscriber: Subscriber, since: datetime | None = None, lag: Lag = NO_LAG
    ) -> PushResult:
        """Push the events since a time, but at least the latest one, and join a follower to the order.

        A connection that is subscribed to the order already first receives what it lacks: otherwise these frames
        would come before their predecessors, and a client that resumes after them would miss those.
        """
        in_group = self.fan_out.position(stored, subscriber.connection_id)
        pushed = min(_position(stored, since), stored.order.seq if in_group is None else in_group)
        if self.is_subscribed(stored, subscriber):
            # Live frames would interleave with the replay.
            self.leave(stored, subscriber)
            stored = self._get(stored.order.order_id)
        return self.catch_up(stored, {subscriber}, pushed, lag)

    def subscribe_followers(self, order_id: str) -> None:
        """Subscribe the followers of an order's user to the order, and push its events to them.

        :raises OrderNotFoundError: if there is no such order.
        """
        stored = self._get(order_id)
        concerns(stored.order)
        if stored.followers is Followers.SUBSCRIBED:
            # The worker that subscribed them may have died before it queued their groups.
            self.fan_out.announce(stored)
            if stored.order.is_terminal and stored.late_push:
                self._catch_up_followers(stored, stored.late_push.after_seq)
            return
        self._catch_up_followers(stored, 0)
        self.orders.mark_followers_subscribed(order_id)

    def _catch_up_followers(self, stored: StoredOrder, pushed: int) -> None:
        user_id = stored.order.spec.user_id
        followers = self.streams.followers(user_id) - stored.subscribers
        if not followers:
            self.streams.drop_unfollowed(user_id)
        elif self._need_groups(stored, followers):
            self.fan_out.join(stored, dict.fromkeys(followers, pushed))
        else:
            self.catch_up(stored, followers, pushed)

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


def _position(stored: StoredOrder, since: datetime | None) -> int:
    """The position before the latest event, the events since a time, and those that were pushed since then or never.

    A worker may have died between the write of an event and its push.
    """
    starts = [stored.order.seq - 1, stored.published]
    if since:
        starts += [event.seq - 1 for event in stored.order.events if event.at >= since]
        if stored.late_push and stored.late_push.at >= since:
            starts.append(stored.late_push.after_seq)
    return min(starts)


def _positions(subscribers: Collection[Subscriber], pushed: int) -> dict[Subscriber, int]:
    return {one: max(pushed, one.after_seq or 0) for one in subscribers}
