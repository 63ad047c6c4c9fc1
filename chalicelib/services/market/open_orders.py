"""Open orders: the work after each of their moves, and their expiry.

The deadline of an open order is its expiry once its subscribers and the history are up to date. Until then it is a
moment soon, at which the market watcher or the watchdog makes good what was lost. One date on the order serves both.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import earliest_ms, to_ms
from chalicelib.domain.events import Expired
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.observability import orders as observe
from chalicelib.observability.context import apart, concerns
from chalicelib.ports.history import History, HistoryUnavailableError
from chalicelib.ports.orders import LostRaceError, OrderStore, StoredOrder
from chalicelib.services.orders.finalize import FinalizeOrder
from chalicelib.services.streams.publisher import Publisher
from chalicelib.services.streams.subscriptions import Subscriptions

log = logging.getLogger(__name__)

#: The longest pause before the next try to make good what was lost.
_MAX_PAUSE_MS = 300_000


@dataclass(frozen=True, slots=True)
class OpenOrders:
    orders: OrderStore
    publisher: Publisher
    subscriptions: Subscriptions
    history: History
    finalize: FinalizeOrder
    executor: Executor
    now: Callable[[], datetime]
    batch: int

    def renew(self, stored: StoredOrder, after: Order) -> StoredOrder:
        """Write the next ``open`` event of an order; ``keep`` does the work that follows.

        :raises LostRaceError: if another writer moved the order.
        """
        stored = self.subscriptions.ensure_followers(stored)
        return self.orders.write(stored, after, lease=None, deadline_ms=self.due_ms(after))

    def keep(self, stored: StoredOrder) -> StoredOrder:
        """Publish and record an open order's last event, and set its expiry as the deadline.

        Returns the order as published.
        """
        published = self.publisher.publish(stored)
        self._settle(published)
        return published

    def due_ms(self, order: Order) -> int:
        """The deadline by which the work after the last event of an open order should be done.

        Each try doubles the time since that event, because an outage may last and other orders need the watchdog too.
        """
        now_ms = to_ms(self.now())
        age_ms = now_ms - to_ms(order.events[-1].at)
        due_ms = max(self.finalize.due_ms(), now_ms + min(age_ms, _MAX_PAUSE_MS))
        return earliest_ms(due_ms, order.expires_at)

    def revisit(self, stored: StoredOrder) -> bool:
        """Expire an open order whose time is up, or make good what was lost. Returns whether it expired."""
        if stored.order.is_expired(self.now()):
            return self._expire(stored)
        self.orders.set_deadline(stored, self.due_ms(stored.order))
        current = self.orders.get(stored.order.order_id)
        if current and current.order.status is Status.OPEN:
            self.keep(self.subscriptions.with_followers(current))
        return False

    def revisit_due(self) -> int:
        """Revisit the open orders whose deadline has passed, one batch at most; returns how many expired."""
        return sum(self.executor.map(self._revisit_apart, self.orders.due_open(to_ms(self.now()), self.batch)))

    def _revisit_apart(self, order_id: str) -> bool:
        with apart():
            return self._revisit(order_id)

    def _revisit(self, order_id: str) -> bool:
        try:
            stored = self.orders.get(order_id)
            # The index lags behind the table.
            if stored is None or stored.order.status is not Status.OPEN or not stored.is_due(to_ms(self.now())):
                return False
            concerns(stored.order)
            return self.revisit(stored)
        except Exception:
            log.exception("not revisited; the next look will retry", extra={"orderId": order_id})
            return False

    def _settle(self, published: StoredOrder) -> None:
        """Record an open order, and set its expiry as the deadline if no other work is left."""
        order = published.order
        try:
            self.history.record(order)
        except HistoryUnavailableError:
            observe.history_failed(order)
            self.orders.set_deadline(published, self.due_ms(order))
            return
        if order.expires_at and published.published == order.seq:
            self.orders.set_deadline(published, to_ms(order.expires_at))

    def _expire(self, stored: StoredOrder) -> bool:
        stored = self.subscriptions.ensure_followers(stored)
        expired = stored.order.after(Expired(), self.now())
        try:
            after = self.orders.write(stored, expired, lease=None, deadline_ms=self.finalize.due_ms())
        except LostRaceError:
            # Another writer triggered, cancelled or amended the order just before.
            return False
        observe.ended(expired)
        self.finalize(after)
        return True
