"""The looks of a follow for the orders that the submission of orders does not bring: see ``user_streams``.

The indexes of a user's orders lag behind the table, so a follow queries them several times. A look with many orders
is done in parts, so that no user's orders keep a worker from the streams of the others.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.clock import MAX_CLOCK_DIFFERENCE
from chalicelib.codec.times import from_ms, to_ms
from chalicelib.observability.context import apart
from chalicelib.ports.orders import OrderStore, StoredOrder, UnreadableOrderError
from chalicelib.ports.queues import ReplayQueue
from chalicelib.ports.streams import ConnectionGoneError, FollowUser, PushFailedError, Sockets, StreamStore
from chalicelib.services.streams.connections import Connections
from chalicelib.services.streams.dropped_sockets import NO_LAG, Lag, retry_seconds
from chalicelib.services.streams.subscriptions import Subscriptions

log = logging.getLogger(__name__)

#: Pauses between the looks of a follow, in seconds.
LOOK_DELAYS_SECONDS = (1, 4)
#: The last look finds every change that the indexes show within this time.
MAX_INDEX_LAG = timedelta(seconds=sum(LOOK_DELAYS_SECONDS))
#: The time for one part of a look.
MAX_PART_SECONDS = 4


@dataclass(frozen=True, slots=True)
class UserLooks:
    """``build_live`` makes the frame which says that the stream of a user has brought everything up to a time."""

    orders: OrderStore
    streams: StreamStore
    subscriptions: Subscriptions
    replays: ReplayQueue
    connections: Connections
    sockets: Sockets
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    build_live: Callable[[str, datetime], str]

    def look(self, follow: FollowUser) -> bool:
        """Push the events since the start of a follow, at least the latest frame of each unfinished order, and join
        the follower to these orders. False if the connection is gone.

        Each look queues the next one, or its own next part. A look whose connection is too slow ends, and is queued
        again: each further order would wait for it. A look ends without effect once the client has unsubscribed, or
        has asked for a newer replay.
        """
        if self._is_over(follow):
            return True
        subscriber = replace(follow.subscriber, via_user=True)
        follow = replace(follow, subscriber=subscriber, began_at_ms=follow.began_at_ms or to_ms(self.now()))
        lag, done, reached = _lag_of(follow), follow, follow
        deadline = self.monotonic() + MAX_PART_SECONDS
        for stored, after in self._orders(follow):
            if after != reached:
                # A look goes on after a time, so all orders of one time are done together.
                done, reached = reached, after
                if done != follow and self.monotonic() > deadline:
                    self._queue(replace(done, tries=None))
                    return True
            if not self._lacks(follow, stored):
                continue
            with apart(stored.order):
                result = self.subscriptions.follow_order(stored, subscriber, _time(follow.since_ms), lag)
            if result.gone:
                return False
            if result.late:
                self._look_again(done, lag)
                return True
            lag = NO_LAG
        return self._end(reached, lag)

    def _is_over(self, follow: FollowUser) -> bool:
        connection_id = follow.subscriber.connection_id
        if not self.streams.follows(follow.user_id, connection_id):
            return True
        newest = self.streams.replay_of(follow.user_id, connection_id) if follow.replay else None
        return newest is not None and newest.number != follow.replay

    def _orders(self, follow: FollowUser) -> Iterator[tuple[StoredOrder, FollowUser]]:
        """The orders that a look may have to bring, each with the look as it goes on after the order."""
        if follow.after_ended_ms is None:
            period = _end_of(follow), _time(follow.after_created_ms, after=1)
            # The end of an order may never have been pushed. The history then lacks the order.
            found = self.orders.unfinished_of(follow.user_id, *period, with_unrecorded=_is_first(follow))
            for stored in self._read(found):
                yield stored, replace(follow, after_created_ms=to_ms(stored.order.events[0].at))
        # This query is the later one: it finds the orders that have ended since the first one.
        if since := _ended_since(follow):
            for stored in self._read(self.orders.ended_of(follow.user_id, since)):
                yield stored, replace(follow, after_ended_ms=to_ms(stored.end_pushed_at))

    def _read(self, order_ids: Iterable[str]) -> Iterator[StoredOrder]:
        for order_id in order_ids:
            try:
                stored = self.orders.get(order_id)
            except UnreadableOrderError:
                log.exception("order skipped, because it is unreadable", extra={"orderId": order_id})
                continue
            if stored:
                yield stored

    def _lacks(self, follow: FollowUser, stored: StoredOrder) -> bool:
        """True if the follower lacks the order. An index may show an order as it was a moment ago."""
        if stored.order.is_terminal:
            since = _ended_since(follow)
            is_unpublished = _is_first(follow) and stored.published < stored.order.seq
            if since is None or (stored.end_pushed_at < since and not is_unpublished):
                return False
        # An earlier follow on the same connection may have brought the last frames alone.
        return _is_first(follow) or not self.subscriptions.is_subscribed(stored, follow.subscriber)

    def _end(self, follow: FollowUser, lag: Lag) -> bool:
        """Queue the next look, or push the live frame. False if the connection is gone."""
        if follow.look < len(LOOK_DELAYS_SECONDS):
            following = FollowUser(
                follow.subscriber,
                follow.user_id,
                follow.look + 1,
                follow.followed_at_ms,
                since_ms=follow.since_ms,
                looked_at_ms=follow.began_at_ms,
                replay=follow.replay,
            )
            self._queue(following, LOOK_DELAYS_SECONDS[follow.look])
            return True
        complete_at = _time(follow.followed_at_ms) or self.now()
        try:
            self.sockets.push(follow.subscriber.connection_id, self.build_live(follow.user_id, complete_at))
        except ConnectionGoneError:
            return False
        except PushFailedError:
            self._look_again(follow, lag)
            return True
        if follow.replay:
            self.streams.end_replay(follow.user_id, follow.subscriber.connection_id, follow.replay)
        return True

    def _queue(self, follow: FollowUser, delay_seconds: int = 0) -> None:
        due_ms = to_ms(self.now()) + delay_seconds * 1000
        self.replays.send([replace(follow, late_since_ms=due_ms)], delay_seconds=delay_seconds)

    def _look_again(self, follow: FollowUser, lag: Lag) -> None:
        """Repeat the rest of a look after tries that brought no frame, or close the socket."""
        if after := lag.after_try(to_ms(self.now())):
            again = replace(follow, tries=after.tries, late_since_ms=after.since_ms)
            self.replays.send([again], delay_seconds=retry_seconds(lag.tries))
        else:
            self.connections.end_slow(follow.subscriber.connection_id)


def _is_first(follow: FollowUser) -> bool:
    """True for the look that brings what the client lacks, however often it has subscribed."""
    return follow.looked_at_ms is None and follow.since_ms is not None


def _lag_of(follow: FollowUser) -> Lag:
    return Lag(follow.tries, follow.late_since_ms) if follow.tries else NO_LAG


def _time(at_ms: int | None, after: int = 0) -> datetime | None:
    return None if at_ms is None else from_ms(at_ms + after)


def _end_of(follow: FollowUser) -> datetime | None:
    """The time after which the submission of each order finds the follower."""
    return from_ms(follow.followed_at_ms) + MAX_CLOCK_DIFFERENCE if follow.followed_at_ms else None


def _ended_since(follow: FollowUser) -> datetime | None:
    """The time since which a look brings orders that have ended; ``None`` for a follow of an earlier version."""
    if follow.since_ms is None:
        return None
    since = from_ms(follow.since_ms) - MAX_CLOCK_DIFFERENCE
    if follow.looked_at_ms is not None:
        # The look before has brought what the index showed then.
        since = max(since, from_ms(follow.looked_at_ms) - MAX_INDEX_LAG - MAX_CLOCK_DIFFERENCE)
    return since if follow.after_ended_ms is None else max(since, from_ms(follow.after_ended_ms + 1))
