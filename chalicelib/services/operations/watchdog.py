"""The watchdog: sends again what should have moved on by now and did not, whatever the reason."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.status import Status
from chalicelib.ports.orders import OrderStore, StoredOrder
from chalicelib.ports.queues import OrderQueue
from chalicelib.services.market.open_orders import OpenOrders
from chalicelib.services.orders.finalize import FinalizeOrder
from chalicelib.services.streams.subscriptions import Subscriptions

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Watchdog:
    orders: OrderStore
    queue: OrderQueue
    subscriptions: Subscriptions
    finish: FinalizeOrder
    open_orders: OpenOrders
    now: Callable[[], datetime]
    batch: int
    pause_seconds: int

    def __call__(self) -> int:
        """Move overdue orders on, at most ``batch`` of each kind; returns how many."""
        now_ms = to_ms(self.now())
        moved = sum(self._move_on(order_id, now_ms) for order_id in self.orders.due(now_ms, self.batch))
        log.info("watched", extra={"moved": moved})
        return moved

    def _move_on(self, order_id: str, now_ms: int) -> bool:
        try:
            return self._move(order_id, now_ms)
        except Exception:
            # It must not keep the others waiting, whatever is wrong with it.
            log.exception("overdue and not moved on", extra={"orderId": order_id})
            return False

    def _move(self, order_id: str, now_ms: int) -> bool:
        stored = self.orders.get(order_id)
        # The index lags behind the table.
        if stored is None or not stored.is_due(now_ms):
            return False
        if stored.lease and stored.lease.until_ms > now_ms:
            return False
        if stored.order.status is Status.OPEN:
            self.open_orders.revisit(stored)
        elif stored.order.is_terminal:
            self.finish(stored)
        else:
            self._send_again(stored, now_ms)
        return True

    def _send_again(self, stored: StoredOrder, now_ms: int) -> None:
        """Queue the order, and put it off first: each time for as long as it has been where it stands.

        So a slow queue gets an old order twice, four times, eight times later, and not on every tick.

        :raises LostRaceError: if it moved on meanwhile.
        """
        order = stored.order
        waited_ms = now_ms - to_ms(order.events[-1].at)
        deadline_ms = now_ms + max(self.pause_seconds * 1000, waited_ms)
        put_off = self.orders.write(stored, order, lease=None, deadline_ms=deadline_ms)
        # Whoever accepted it may not have got to its followers; the processor tells them.
        self.queue.send(self.subscriptions.with_followers(put_off))
        log.warning("overdue, sent again", extra={"orderId": order.order_id, "status": order.current_status.value})
