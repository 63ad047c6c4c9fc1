"""Joining a stream without a gap: tell what was, then join if nothing has happened since, else again.

The join is a write on the order item that holds only while the order stands at the ``seq`` told last. Events
up to it were pushed before, later ones return the new subscriber to whoever appends them: nothing falls between,
and nothing overtakes.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from chalicelib.domain.errors import OrderNotFoundError
from chalicelib.ports import OrderStore, Replay, ReplayQueue, StreamStore, Subscriber, Tracked
from chalicelib.services.publish import Publisher

#: The index of a user's open orders lags behind the table; after this long it is asked once more.
SECOND_LOOK_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Subscriptions:
    orders: OrderStore
    streams: StreamStore
    publisher: Publisher
    replays: ReplayQueue

    def join_order(
        self,
        subscriber: Subscriber,
        order_id: str,
        after_seq: int = 0,
        acknowledge: Callable[[], None] | None = None,
    ) -> bool:
        """Bring every event after ``after_seq`` to a connection, and keep it told. False: it is gone.

        ``acknowledge`` is called once the order is known to exist, before the first frame.

        :raises OrderNotFoundError: if there is no such order.
        """
        tracked = self.orders.get(order_id)
        if tracked is None:
            raise OrderNotFoundError(order_id)
        if acknowledge:
            acknowledge()
        return bool(self.bring_up(tracked, {subscriber}, told=min(after_seq, tracked.order.seq)))

    def leave_order(self, subscriber: Subscriber, order_id: str) -> None:
        self.orders.leave(order_id, [subscriber])

    def follow_user(self, subscriber: Subscriber, user_id: str, *, again: bool = False) -> bool:
        """Bring the latest frame of each of the user's orders that are not over, and everything new.

        ``again`` is the second look. False: the connection is gone.
        """
        subscriber = replace(subscriber, via_user=True)
        if not again and not self.streams.follow(user_id, subscriber):
            return False
        for order_id in self.orders.open_orders(user_id):
            tracked = self.orders.get(order_id)
            if tracked is None or tracked.order.is_terminal or subscriber in tracked.subscribers:
                continue
            if not self.bring_up(tracked, {subscriber}, told=tracked.order.seq - 1):
                return False
        if not again:
            look = Replay(
                subscriber.connection_id,
                {"userId": user_id},
                subscriber.coarse,
                via_user=True,
                again=True,
            )
            self.replays.send([look], delay_seconds=SECOND_LOOK_SECONDS)
        return True

    def unfollow_user(self, subscriber: Subscriber, user_id: str) -> None:
        subscriber = replace(subscriber, via_user=True)
        self.streams.unfollow(user_id, subscriber)
        for order_id in self.orders.open_orders(user_id):
            self.orders.leave(order_id, [subscriber])

    def bring_up(self, tracked: Tracked, subscribers: Collection[Subscriber], told: int) -> Collection[Subscriber]:
        """Push what comes after seq ``told`` and join; returns those still there."""
        order = tracked.order
        while subscribers:
            subscribers = self.publisher.push(order, order.events[told:], subscribers)
            told = order.seq
            # After a terminal status there is nothing left to join for.
            if not subscribers or order.is_terminal or self.orders.join(order.order_id, subscribers, told):
                break
            found = self.orders.get(order.order_id)
            if found is None:
                raise OrderNotFoundError(order.order_id)
            order = found.order
        return subscribers
