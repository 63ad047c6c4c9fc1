"""After a terminal status: the last frames, and the history. Safe to do again."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.ports.history import History, HistoryUnavailableError
from chalicelib.ports.orders import OrderStore, StoredOrder
from chalicelib.services.streams.publisher import Publisher

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FinalizeOrder:
    orders: OrderStore
    publisher: Publisher
    history: History
    now: Callable[[], datetime]
    deadline_grace_seconds: int

    def __call__(self, stored: StoredOrder) -> None:
        """Tell the subscribers and record the history.

        Where Postgres is away, or the stream queue for sockets that are late, the watchdog comes back to it.
        """
        order = stored.order
        stored = self.publisher.publish(stored)
        try:
            self.history.record(order)
        except HistoryUnavailableError:
            log.exception("history not recorded; left to the watchdog", extra={"orderId": order.order_id})
            self.orders.set_deadline(stored, self.due_ms())
            return
        if stored.published < order.seq:
            # There is no next event with which the last ones could be told.
            self.orders.set_deadline(stored, self.due_ms())
        elif stored.deadline_ms is not None:
            self.orders.set_deadline(stored, None)
        log.info(
            "finished", extra={"orderId": order.order_id, "status": order.current_status.value, "seq": order.seq}
        )

    def due_ms(self) -> int:
        """When the watchdog is to come back to an order that has ended, should this not have been done by then."""
        return to_ms(self.now()) + self.deadline_grace_seconds * 1000
