"""Sockets that could not be served: a gone one is forgotten, and the replay queue catches up one that is too slow."""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from chalicelib.domain.orders import Order
from chalicelib.ports.queues import ReplayQueue
from chalicelib.ports.streams import RetrySocket, StreamStore, Subscriber, settled
from chalicelib.services.streams.delivery import Delivery, all_of

log = logging.getLogger(__name__)

#: Pause before the first retry of a slow socket; each further pause is twice as long.
RETRY_SECONDS = 2
#: After this many tries, about twenty minutes, the engine gives a slow socket up.
MAX_SOCKET_TRIES = 9


@dataclass(frozen=True, slots=True)
class DroppedSockets:
    streams: StreamStore
    replays: ReplayQueue

    def drop(self, order: Order, gone: Sequence[Delivery], late: Sequence[Delivery], tries: int = 0) -> None:
        """End the follows of the gone connections, and queue the replay of the late ones; see ``retry``.

        :raises Exception: if the replay queue refuses one of the late ones. The gone ones are done with by then.
        """
        if gone or late:
            extra = {"orderId": order.order_id, "gone": len(gone), "late": len(late)}
            log.info("sockets dropped", extra=extra)
        if followers := {one.connection_id for one in all_of(gone) if one.via_user}:
            self._end_follows(order.spec.user_id, followers)
        self.retry(order.order_id, late, tries)

    def _end_follows(self, user_id: str, connection_ids: Collection[str]) -> None:
        try:
            self.streams.remove_followers(user_id, connection_ids)
        except Exception:
            # The user's next order finds these connections gone again.
            log.exception("follows not ended", extra={"connections": len(connection_ids)})

    def retry(self, order_id: str, late: Iterable[Delivery], tries: int = 0) -> None:
        """Queue the replay of these connections, unless they have used up their tries.

        ``tries`` counts the earlier pushes that could not serve these connections. Each makes the pause longer.

        :raises Exception: if the replay queue refuses one of them.
        """
        replays = [
            # A slow socket that took at least one frame starts again at try 1.
            RetrySocket(
                _behind(subscriber, one), order_id, one.delivered, 1 if one.delivered > one.previous else tries + 1
            )
            for one in late
            for subscriber in one.subscribers
        ]
        if replays and tries < MAX_SOCKET_TRIES:
            self.replays.send(replays, delay_seconds=retry_seconds(tries))


def _behind(subscriber: Subscriber, delivery: Delivery) -> Subscriber:
    """The subscriber, with a position of its own only if that is ahead of the delivery."""
    is_ahead = (subscriber.after_seq or 0) > delivery.delivered
    return subscriber if is_ahead else settled(subscriber)


def retry_seconds(tries: int) -> int:
    """The pause before the next try, after ``tries`` earlier ones."""
    return RETRY_SECONDS << tries
