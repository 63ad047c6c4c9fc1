"""The watchdog: sends again what should have moved on by now and did not, whatever the reason."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.status import Status
from chalicelib.encoding.times import to_ms
from chalicelib.ports import OrderQueue, OrderStore, Tracked
from chalicelib.services.finish import FinishOrder
from chalicelib.services.subscribe import Subscriptions
from chalicelib.services.waiting import OpenOrders

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WatchOrders:
    orders: OrderStore
    queue: OrderQueue
    subscriptions: Subscriptions
    finish: FinishOrder
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
        tracked = self.orders.get(order_id)
        # The index lags behind the table.
        if tracked is None or not tracked.is_due(now_ms):
            return False
        if tracked.lease and tracked.lease.until_ms > now_ms:
            return False
        if tracked.order.status is Status.OPEN:
            self.open_orders.revisit(tracked)
        elif tracked.order.is_terminal:
            self.finish(tracked)
        else:
            self._send_again(tracked, now_ms)
        return True

    def _send_again(self, tracked: Tracked, now_ms: int) -> None:
        """Queue the order, and put it off first: each time for as long as it has been where it stands.

        So a slow queue gets an old order twice, four times, eight times later, and not on every tick.

        :raises LostRaceError: if it moved on meanwhile.
        """
        order = tracked.order
        waited_ms = now_ms - to_ms(order.events[-1].at)
        attention_at_ms = now_ms + max(self.pause_seconds * 1000, waited_ms)
        put_off = self.orders.write(tracked, order, lease=None, attention_at_ms=attention_at_ms)
        # Whoever accepted it may not have got to its followers; the processor tells them.
        self.queue.send(self.subscriptions.with_followers(put_off))
        log.warning("overdue, sent again", extra={"orderId": order.order_id, "status": order.standing.value})
