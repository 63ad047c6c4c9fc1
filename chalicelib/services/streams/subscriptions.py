"""Joining a stream without a gap: tell what was, then join if nothing has happened since, else again.

The join is a write on the order item that holds only while the order stands at the ``seq`` told last. Events
up to it were pushed before, later ones return the new subscriber to whoever appends them: nothing falls between,
and nothing overtakes.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from chalicelib.ports.orders import OrderStore, StoredOrder, UnreadableOrderError
from chalicelib.ports.queues import ReplayQueue
from chalicelib.ports.streams import Replay, StreamStore, Subscriber
from chalicelib.services.orders.lookup import find_order
from chalicelib.services.streams.publisher import Publisher

log = logging.getLogger(__name__)

#: The index of a user's open orders lags behind the table, so after following it is asked again: so many seconds
#: after the look before.
LOOKS = (1, 4)
#: In place of a connection id: all followers of the user whose order it is.
FOLLOWERS = "*"


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
        *,
        tries: int = 0,
        acknowledge: Callable[[], None] | None = None,
    ) -> bool:
        """Bring every event after ``after_seq`` to a connection, and keep it told. False: it is gone.

        ``acknowledge`` is called once the order is known to exist, before the first frame.

        :raises OrderNotFoundError: if there is no such order.
        """
        stored = find_order(self.orders, order_id)
        joining = {subscriber}
        present = {one for one in stored.subscribers if one.connection_id == subscriber.connection_id}
        if present:
            # Who is told of new events already would get them among those that are told again.
            self.orders.leave(order_id, present)
            stored = find_order(self.orders, order_id)
            joining |= present
        if acknowledge:
            acknowledge()
        told = min(after_seq, stored.order.seq)
        return not self.catch_up(stored, joining, told, tries)

    def leave_order(self, subscriber: Subscriber, order_id: str) -> None:
        self.orders.leave(order_id, [subscriber])

    def follow_user(self, subscriber: Subscriber, user_id: str) -> bool:
        """Keep a connection told of all that is new of a user's orders. False: it is not open (any more)."""
        return self.streams.follow(user_id, replace(subscriber, via_user=True))

    def look(self, subscriber: Subscriber, user_id: str, number: int = 0) -> bool:
        """Bring a follower the latest frame of each of the user's orders that are not over, and join them.

        ``number`` counts the looks; the next one is queued. False: the connection is gone.
        """
        subscriber = replace(subscriber, via_user=True)
        if subscriber not in self.streams.followers(user_id):
            return True
        for order_id in self.orders.unfinished_of(user_id):
            try:
                stored = self.orders.get(order_id)
            except UnreadableOrderError:
                log.exception("not told of, as it cannot be read", extra={"orderId": order_id})
                continue
            if stored is None or stored.order.is_terminal or subscriber in stored.subscribers:
                continue
            if self.catch_up(stored, {subscriber}, told=stored.order.seq - 1):
                return False
        if number < len(LOOKS):
            wanted = {"userId": user_id}
            again = Replay(subscriber.connection_id, wanted, subscriber.coarse, via_user=True, look=number + 1)
            self.replays.send([again], delay_seconds=LOOKS[number])
        return True

    def tell_followers(self, stored: StoredOrder) -> None:
        """Bring an order to those followers of its user that have not joined it."""
        followers = self.streams.followers(stored.order.spec.user_id)
        self.catch_up(stored, followers - stored.subscribers, told=0)

    def tell_followers_later(self, order_id: str) -> None:
        """Have the stream queue do it."""
        self.replays.send([Replay(FOLLOWERS, {"orderId": order_id}, via_user=True)])

    def with_followers(self, stored: StoredOrder) -> StoredOrder:
        """The order with its user's followers among its subscribers. If one was not, all are to be told all of it."""
        order = stored.order
        missing = self.streams.followers(order.spec.user_id) - stored.subscribers
        if missing and self.orders.join(order.order_id, missing, order.seq):
            return replace(stored, subscribers=stored.subscribers | missing, published=0)
        return stored

    def unless_told(self, stored: StoredOrder) -> StoredOrder:
        """The same for an order of which nobody may have been told, as who accepted it may have died over it."""
        return stored if stored.published else self.with_followers(stored)

    def unfollow_user(self, subscriber: Subscriber, user_id: str) -> None:
        subscriber = replace(subscriber, via_user=True)
        self.streams.unfollow(user_id, subscriber)
        for order_id in self.orders.unfinished_of(user_id):
            self.orders.leave(order_id, [subscriber])

    def catch_up(
        self, stored: StoredOrder, subscribers: Collection[Subscriber], told: int, tries: int = 0
    ) -> frozenset[Subscriber]:
        """Push what comes after seq ``told`` and join; returns those that are gone."""
        order = stored.order
        gone: frozenset[Subscriber] = frozenset()
        while subscribers:
            reached = self.publisher.push(order, order.events[told:], subscribers, tries)
            subscribers, gone = reached.served, gone | reached.gone
            told = order.seq
            # After a terminal status there is nothing left to join for.
            if not subscribers or order.is_terminal or self.orders.join(order.order_id, subscribers, told):
                break
            order = find_order(self.orders, order.order_id).order
        return gone
