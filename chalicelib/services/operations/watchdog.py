"""The watchdog sends overdue orders again and finishes their work, whether a worker died or a call failed."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.status import Status
from chalicelib.observability import operations
from chalicelib.observability import orders as observe
from chalicelib.observability.context import apart, concerns
from chalicelib.ports.orders import LostRaceError, OrderStore, StoredOrder
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
    finalize: FinalizeOrder
    open_orders: OpenOrders
    now: Callable[[], datetime]
    batch: int
    pause_seconds: int
    backlog_patience_seconds: int

    def __call__(self) -> int:
        """Move overdue orders on, at most ``batch`` of each kind; returns how many."""
        now_ms, moved, overdue = to_ms(self.now()), 0, 0
        for order_id in self.orders.due(now_ms, self.batch, self._patience_ms()):
            with apart():
                try:
                    if stored := self._left_alone(order_id, now_ms):
                        # The deadline of an open order is its expiry, so such an order is not late.
                        overdue += stored.order.status is not Status.OPEN
                        self._move(stored, now_ms)
                        moved += 1
                except Exception:
                    # An order that cannot be moved must not delay the others.
                    log.exception("overdue order not moved", extra={"orderId": order_id})
        if moved or overdue:
            operations.watchdog_finished(moved, overdue)
        return moved

    def _patience_ms(self) -> int:
        """How much longer than its deadline an active order may wait, because its message may be in the queue.

        Without waiting messages the queue has lost the message, or a worker that was lost had received it.
        """
        try:
            has_backlog = self.queue.has_waiting()
        except Exception:
            # A queue that does not answer takes no message either; the orders of the other kinds do not need it.
            log.exception("orders queue not read")
            has_backlog = True
        return self.backlog_patience_seconds * 1000 if has_backlog else 0

    def _left_alone(self, order_id: str, now_ms: int) -> StoredOrder | None:
        """The order, if its deadline has passed and no worker holds it."""
        stored = self.orders.get(order_id)
        # The index lags behind the table.
        if stored is None or not stored.is_due(now_ms):
            return None
        concerns(stored.order)
        return None if stored.lease and stored.lease.until_ms > now_ms else stored

    def _move(self, stored: StoredOrder, now_ms: int) -> None:
        if stored.order.status is Status.OPEN:
            self.open_orders.revisit(stored)
        elif stored.order.is_terminal:
            self.finalize(self.subscriptions.with_followers(stored))
        else:
            self._send_again(stored, now_ms)

    def _send_again(self, stored: StoredOrder, now_ms: int) -> None:
        """Queue the order, then move its deadline by as long as the order has had its current status.

        A slow queue thus receives an old order after two, four and eight times the pause, not at every look. The
        message goes first: if the watchdog dies between the two, the next look sends the order again.
        """
        order = stored.order
        # The API handler may have died before it notified the followers; the order's last event then does.
        self.queue.send(self.subscriptions.with_followers(stored))
        observe.resent(order)
        age_ms = now_ms - to_ms(order.events[-1].at)
        deadline_ms = now_ms + max(self.pause_seconds * 1000, age_ms)
        # A worker that has received the message already sets the deadline itself.
        with suppress(LostRaceError):
            self.orders.write(stored, order, lease=None, deadline_ms=deadline_ms)
