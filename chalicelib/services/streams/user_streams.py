"""User streams: the orders that are unfinished when a follow begins, and all later ones.

The submission of an order finds the followers of its user. A new follower therefore looks for those orders alone that
were accepted before its follow was written.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.clock import MAX_CLOCK_DIFFERENCE
from chalicelib.codec.times import from_ms, to_ms
from chalicelib.domain.identity import Caller, Scope
from chalicelib.ports.orders import OrderStore, UnreadableOrderError
from chalicelib.ports.queues import ReplayQueue
from chalicelib.ports.streams import FollowUser, StreamStore, Subscriber
from chalicelib.services.orders.lookup import user_for
from chalicelib.services.streams.dropped_sockets import MAX_SOCKET_TRIES, retry_seconds
from chalicelib.services.streams.subscriptions import Subscriptions

log = logging.getLogger(__name__)

#: The index of a user's orders lags behind the table, so a follow queries it again, this many seconds after the
#: query before.
LOOK_DELAYS_SECONDS = (1, 4)


@dataclass(frozen=True, slots=True)
class UserStreams:
    orders: OrderStore
    streams: StreamStore
    subscriptions: Subscriptions
    replays: ReplayQueue
    now: Callable[[], datetime]

    def follow(self, caller: Caller, subscriber: Subscriber, user_id: str) -> bool:
        """Subscribe a connection to all future orders of a user. False if the connection is not open.

        :raises MissingScopeError: if the caller may not read the user's orders.
        """
        user_for(caller, user_id, Scope.READ)
        return self.streams.follow(user_id, replace(subscriber, via_user=True))

    def queue_look(self, subscriber: Subscriber, user_id: str) -> None:
        """Let the replay queue do the first look: a user may have many orders, and the next message waits."""
        self.replays.send([FollowUser(subscriber, user_id, look=1, followed_at_ms=to_ms(self.now()))])

    def first_look(self, subscriber: Subscriber, user_id: str) -> bool:
        """Look for the orders that are unfinished now. The follow is written before."""
        return self.look(FollowUser(subscriber, user_id, look=0, followed_at_ms=to_ms(self.now())))

    def look(self, follow: FollowUser) -> bool:
        """Push the latest frame of each order that was unfinished when a follow began, and join the follower to it.

        Each look queues the next one. The submission of each later order finds the follower. False if the connection
        is gone. A look whose connection is too slow ends, and is queued again: each further order would wait for it.
        """
        subscriber, user_id = replace(follow.subscriber, via_user=True), follow.user_id
        if not self.streams.follows(user_id, subscriber.connection_id):
            return True
        tries = follow.tries or 0
        followed_at = from_ms(follow.followed_at_ms) + MAX_CLOCK_DIFFERENCE if follow.followed_at_ms else None
        for order_id in self.orders.unfinished_of(user_id, followed_at):
            try:
                stored = self.orders.get(order_id)
            except UnreadableOrderError:
                log.exception("order skipped, because it is unreadable", extra={"orderId": order_id})
                continue
            if stored is None or stored.order.is_terminal or self.subscriptions.is_subscribed(stored, subscriber):
                continue
            result = self.subscriptions.follow_order(stored, subscriber, tries)
            if result.gone:
                return False
            if result.late:
                self._look_again(replace(follow, subscriber=subscriber), tries)
                return True
            tries = 0
        if follow.look < len(LOOK_DELAYS_SECONDS):
            after = replace(follow, subscriber=subscriber, look=follow.look + 1, tries=None)
            self.replays.send([after], delay_seconds=LOOK_DELAYS_SECONDS[follow.look])
        return True

    def _look_again(self, follow: FollowUser, tries: int) -> None:
        """Repeat a look after ``tries`` that brought no frame, unless these are used up."""
        if tries < MAX_SOCKET_TRIES:
            self.replays.send([replace(follow, tries=tries + 1)], delay_seconds=retry_seconds(tries))

    def unfollow(self, caller: Caller, subscriber: Subscriber, user_id: str) -> None:
        """End a follow, and leave the user's active and open orders."""
        user_for(caller, user_id, Scope.READ)
        subscriber = replace(subscriber, via_user=True)
        self.streams.unfollow(user_id, subscriber)
        for order_id in self.orders.unfinished_of(user_id):
            if stored := self.orders.get(order_id):
                self.subscriptions.leave(stored, subscriber)
