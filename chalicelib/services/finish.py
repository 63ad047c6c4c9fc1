"""After a terminal status: the last frames, and the history. Safe to do again."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.encoding.times import to_ms
from chalicelib.ports import History, HistoryUnavailableError, OrderStore, Tracked
from chalicelib.services.publish import Publisher

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FinishOrder:
    orders: OrderStore
    publisher: Publisher
    history: History
    now: Callable[[], datetime]
    attention_slack_seconds: int

    def __call__(self, tracked: Tracked) -> None:
        """Tell the subscribers and record the history.

        Where Postgres is away, or the stream queue for sockets that are late, the watchdog comes back to it.
        """
        order = tracked.order
        tracked = self.publisher.publish(tracked)
        try:
            self.history.record(order)
        except HistoryUnavailableError:
            log.exception("history not recorded; left to the watchdog", extra={"orderId": order.order_id})
            self.orders.set_attention(tracked, self.due_ms())
            return
        if tracked.published < order.seq:
            # There is no next event with which the last ones could be told.
            self.orders.set_attention(tracked, self.due_ms())
        elif tracked.attention_at_ms is not None:
            self.orders.set_attention(tracked, None)
        log.info("finished", extra={"orderId": order.order_id, "status": order.standing.value, "seq": order.seq})

    def due_ms(self) -> int:
        """When the watchdog is to come back to an order that has ended, should this not have been done by then."""
        return to_ms(self.now()) + self.attention_slack_seconds * 1000
