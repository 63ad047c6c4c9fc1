"""Orders that wait: what each of their moves has in its wake, and how they expire.

An open order's attention is its expiry, once its subscribers are told and its history is recorded; until then it is a
moment soon, at which a look at the market, or the watchdog, makes good what was lost. So one date on the order stands
for both.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import earliest_ms, to_ms
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.ports.history import History, HistoryUnavailableError
from chalicelib.ports.orders import LostRaceError, OrderStore, StoredOrder
from chalicelib.services.orders.finalize import FinalizeOrder
from chalicelib.services.streams.publisher import Publisher
from chalicelib.services.streams.subscriptions import Subscriptions

log = logging.getLogger(__name__)

#: What was lost is made good so soon after it can be, and no later.
_LONGEST_PAUSE_MS = 300_000


@dataclass(frozen=True, slots=True)
class OpenOrders:
    orders: OrderStore
    publisher: Publisher
    subscriptions: Subscriptions
    history: History
    finish: FinalizeOrder
    executor: Executor
    now: Callable[[], datetime]
    batch: int

    def renew(self, stored: StoredOrder, after: Order) -> StoredOrder:
        """Write an order's next ``open`` event; what follows it is for ``keep``.

        :raises LostRaceError: if it moved on meanwhile.
        """
        stored = self.subscriptions.unless_told(stored)
        return self.orders.write(stored, after, lease=None, deadline_ms=self.due_ms(after))

    def keep(self, stored: StoredOrder) -> StoredOrder:
        """Tell of an open order's last move and record it, and then leave it alone until it expires.

        Returns it as it was told.
        """
        told = self.publisher.publish(stored)
        self._settle(told)
        return told

    def due_ms(self, order: Order) -> int:
        """When to come back to an open order, should what follows its last move not have been done by then.

        Later each time, as what keeps it from being done may last, and others have to be come back to as well.
        """
        now_ms = to_ms(self.now())
        stands_ms = now_ms - to_ms(order.events[-1].at)
        due_ms = max(self.finish.due_ms(), now_ms + min(stands_ms, _LONGEST_PAUSE_MS))
        return earliest_ms(due_ms, order.expires_at)

    def revisit(self, stored: StoredOrder) -> bool:
        """Do with an open order what is due: let it expire, or make good what was lost. Whether it expired."""
        if stored.order.is_expired(self.now()):
            return self._expire(stored)
        self.orders.set_deadline(stored, self.due_ms(stored.order))
        self.subscriptions.tell_followers(stored)
        found = self.orders.get(stored.order.order_id)
        if found and found.order.status is Status.OPEN:
            self._settle(self.publisher.publish(found))
        return False

    def revisit_due(self) -> int:
        """Do so with the orders for which it is time, at most a batch of them; returns how many expired."""
        return sum(self.executor.map(self._revisit, self.orders.due_open(to_ms(self.now()), self.batch)))

    def _revisit(self, order_id: str) -> bool:
        try:
            stored = self.orders.get(order_id)
            # The index lags behind the table.
            if stored is None or stored.order.status is not Status.OPEN or not stored.is_due(to_ms(self.now())):
                return False
            return self.revisit(stored)
        except Exception:
            log.exception("left to the next look", extra={"orderId": order_id})
            return False

    def _settle(self, told: StoredOrder) -> None:
        """Record an open order, and leave it alone until it expires if nothing is left to do."""
        order = told.order
        try:
            self.history.record(order)
        except HistoryUnavailableError:
            log.exception("history not recorded; left to a later look", extra={"orderId": order.order_id})
            self.orders.set_deadline(told, self.due_ms(order))
            return
        if order.expires_at and told.published == order.seq:
            self.orders.set_deadline(told, to_ms(order.expires_at))

    def _expire(self, stored: StoredOrder) -> bool:
        stored = self.subscriptions.unless_told(stored)
        expired = stored.order.moved(Status.EXPIRED, self.now())
        try:
            after = self.orders.write(stored, expired, lease=None, deadline_ms=self.finish.due_ms())
        except LostRaceError:
            # It was triggered, cancelled or amended just before.
            return False
        log.info("expired", extra={"orderId": expired.order_id})
        self.finish(after)
        return True
