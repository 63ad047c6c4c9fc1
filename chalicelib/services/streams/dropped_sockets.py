"""Sockets that could not be served: a gone one is forgotten, and the replay queue catches up one that is slow.

A socket that stays slow is closed. Its client comes back with ``since``, the time of its last frame, which may be one
of another order: the engine replays from ``RESUME_MARGIN_SECONDS`` earlier, so no frame may come later than that.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.orders import Order
from chalicelib.observability import streams as observe
from chalicelib.ports.queues import ReplayQueue
from chalicelib.ports.streams import RetrySocket, StreamStore, Subscriber
from chalicelib.services.streams.connections import Connections
from chalicelib.services.streams.delivery import Delivery, all_of

log = logging.getLogger(__name__)

#: The engine closes a socket that lacks a frame for this long.
MAX_LAG_SECONDS = 60
#: Events that are pushed this long after their times, because a worker died before, are noted on the order.
MAX_PUSH_DELAY_SECONDS = 5
#: The replay queue delivers the message of a worker that was killed again after this time (its visibility timeout).
_REDELIVERY_SECONDS = 20
#: No open socket lacks an event for longer after the time of that event, unless the order has a note of a late push.
#: The pushes themselves take the last five seconds at most.
RESUME_MARGIN_SECONDS = MAX_LAG_SECONDS + MAX_PUSH_DELAY_SECONDS + _REDELIVERY_SECONDS + 5
#: Pause before the first retry of a slow socket; each further pause is twice as long.
RETRY_SECONDS = 2
#: After this many tries, which take about 35 of the seconds above, the engine closes a slow socket.
MAX_SOCKET_TRIES = 4


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a socket is behind: the pushes that could not serve it, and the time of the first one."""

    tries: int = 0
    since_ms: int | None = None

    def allows(self, at_ms: int) -> bool:
        """True if the socket may still be behind at a time."""
        return self.since_ms is None or at_ms < self.since_ms + MAX_LAG_SECONDS * 1000

    def after_try(self, now_ms: int) -> "Lag | None":
        """The lag after a further try without success, or ``None`` if there is no time for the next one."""
        lag = Lag(self.tries + 1, now_ms if self.since_ms is None else self.since_ms)
        next_ms = now_ms + retry_seconds(self.tries) * 1000
        return lag if self.tries < MAX_SOCKET_TRIES and lag.allows(next_ms) else None


NO_LAG = Lag()


@dataclass(frozen=True, slots=True)
class DroppedSockets:
    streams: StreamStore
    replays: ReplayQueue
    connections: Connections
    now: Callable[[], datetime]

    def drop(self, order: Order, gone: Sequence[Delivery], late: Sequence[Delivery], lag: Lag = NO_LAG) -> None:
        """End the follows of the gone connections, and queue the replay of the late ones; see ``retry``.

        :raises Exception: if the replay queue refuses one of the late ones. The gone ones are done with by then.
        """
        if gone or late:
            observe.sockets_dropped(order, len(gone), len(late))
        if followers := {one.connection_id for one in all_of(gone) if one.via_user}:
            self._end_follows(order.spec.user_id, followers)
        self.retry(order.order_id, late, lag)

    def _end_follows(self, user_id: str, connection_ids: Collection[str]) -> None:
        try:
            self.streams.remove_followers(user_id, connection_ids)
        except Exception:
            # The user's next order finds these connections gone again.
            log.exception("follows not ended", extra={"connections": len(connection_ids)})

    def retry(self, order_id: str, late: Iterable[Delivery], lag: Lag = NO_LAG) -> None:
        """Queue the replay of these connections, or close those that have used up their tries or their time.

        ``lag`` is that before the push which could not serve these connections. Each try makes the pause longer.

        :raises Exception: if the replay queue refuses one of them.
        """
        late, after = list(late), lag.after_try(to_ms(self.now()))
        if after is None:
            for one in late:
                self.connections.end_slow(one.connection_id)
            return
        replays = [
            RetrySocket(_behind(subscriber, one), order_id, one.delivered, after.tries, after.since_ms)
            for one in late
            for subscriber in one.subscribers
        ]
        if replays:
            self.replays.send(replays, delay_seconds=retry_seconds(lag.tries))


def _behind(subscriber: Subscriber, delivery: Delivery) -> Subscriber:
    """The subscriber, with a position of its own only if that is ahead of the delivery."""
    is_ahead = (subscriber.after_seq or 0) > delivery.delivered
    return subscriber if is_ahead else replace(subscriber, after_seq=None)


def retry_seconds(tries: int) -> int:
    """The pause before the next try, after ``tries`` earlier ones."""
    return RETRY_SECONDS << tries
