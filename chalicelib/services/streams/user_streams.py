"""User streams: the orders that are unfinished when a follow begins, those that have ended since, and all later ones.

The submission of an order finds the followers of its user. A new follower therefore looks for those orders alone that
were accepted before its follow was written.

One replay at a time brings them to a connection. A newer one takes the place of one that is not live yet, begins
where that began, and waits a few seconds, so that a client cannot keep many workers busy.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

from chalicelib.codec.times import to_ms
from chalicelib.domain.identity import Caller, Scope
from chalicelib.ports.orders import OrderStore
from chalicelib.ports.queues import ReplayQueue
from chalicelib.ports.streams import FollowUser, StreamStore, Subscriber, UserReplay
from chalicelib.services.orders.lookup import user_for
from chalicelib.services.streams.dropped_sockets import RESUME_MARGIN_SECONDS
from chalicelib.services.streams.subscriptions import Subscriptions
from chalicelib.services.streams.user_looks import UserLooks

#: The pause between the starts of two replays of a user's stream on one connection.
REPLAY_PAUSE_SECONDS = 5
#: A replay of any size ends within this time.
_REPLAY_KEPT_SECONDS = 7200


@dataclass(frozen=True, slots=True)
class UserStreams:
    orders: OrderStore
    streams: StreamStore
    subscriptions: Subscriptions
    looks: UserLooks
    replays: ReplayQueue
    now: Callable[[], datetime]

    def follow(
        self,
        caller: Caller,
        subscriber: Subscriber,
        user_id: str,
        since: datetime | None = None,
        opened_at_ms: int | None = None,
    ) -> FollowUser | None:
        """Subscribe a connection to all future orders of a user. ``None`` if the connection is not open.

        Returns the first look for the earlier orders, which is due at its ``late_since_ms``. It brings every event
        since ``since``, by default the time of the handshake (``opened_at_ms``) or of this call.

        :raises MissingScopeError: if the caller may not read the user's orders.
        """
        user_for(caller, user_id, Scope.READ)
        subscriber = replace(subscriber, via_user=True)
        since_ms = to_ms(self.now()) if opened_at_ms is None else opened_at_ms
        if since is not None:
            # The client may have frames of some orders that are newer than the ones that it lacks of others.
            since_ms = max(to_ms(since) - RESUME_MARGIN_SECONDS * 1000, 0)
        if not self.streams.follow(user_id, subscriber):
            return None
        followed_at_ms = to_ms(self.now())
        replay = self._begin_replay(subscriber, user_id, since_ms)
        return FollowUser(
            subscriber,
            user_id,
            look=0,
            followed_at_ms=followed_at_ms,
            since_ms=replay.since_ms,
            replay=replay.number,
            late_since_ms=replay.starts_at_ms,
        )

    def _begin_replay(self, subscriber: Subscriber, user_id: str, since_ms: int) -> UserReplay:
        """Store a replay that takes the place of the one before, and what that was still to bring."""
        now_ms, connection_id = to_ms(self.now()), subscriber.connection_id
        replay = UserReplay(1, now_ms, since_ms)
        if before := self.streams.replay_of(user_id, connection_id):
            starts_at_ms = before.starts_at_ms
            if starts_at_ms <= now_ms:
                starts_at_ms = max(now_ms, starts_at_ms + REPLAY_PAUSE_SECONDS * 1000)
            first_ms = since_ms if before.since_ms is None else min(since_ms, before.since_ms)
            replay = UserReplay(before.number + 1, starts_at_ms, first_ms)
        self.streams.set_replay(user_id, connection_id, replay, now_ms // 1000 + _REPLAY_KEPT_SECONDS)
        return replay

    def queue_look(self, first: FollowUser) -> None:
        """Let the replay queue do the first look: a user may have many orders, and the next message waits."""
        wait_ms = max((first.late_since_ms or 0) - to_ms(self.now()), 0)
        self.replays.send([first], delay_seconds=ceil(wait_ms / 1000))

    def unfollow(self, caller: Caller, subscriber: Subscriber, user_id: str) -> None:
        """End a follow, and leave the user's active and open orders."""
        user_for(caller, user_id, Scope.READ)
        subscriber = replace(subscriber, via_user=True)
        self.streams.unfollow(user_id, subscriber)
        self._leave_orders(subscriber, user_id)

    def _leave_orders(self, subscriber: Subscriber, user_id: str) -> None:
        for order_id in self.orders.unfinished_of(user_id):
            if stored := self.orders.get(order_id):
                self.subscriptions.leave(stored, subscriber)
