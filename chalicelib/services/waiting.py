"""Orders that wait: what each of their moves has in its wake, and how they expire.

An open order's attention is its expiry, once its subscribers are told and its history is recorded; until then it is a
moment soon, at which the watchdog makes good what was lost. So one date on the order stands for both.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.encoding.times import to_ms
from chalicelib.ports import History, HistoryUnavailableError, LostRaceError, OrderStore, Tracked
from chalicelib.services.finish import FinishOrder
from chalicelib.services.publish import Publisher
from chalicelib.services.subscribe import Subscriptions

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenOrders:
    orders: OrderStore
    publisher: Publisher
    subscriptions: Subscriptions
    history: History
    finish: FinishOrder
    now: Callable[[], datetime]
    batch: int

    def keep(self, tracked: Tracked) -> Tracked:
        """Tell of an open order's last move and record it, and then leave it alone until it expires.

        Returns it as it was told.
        """
        told = self.publisher.publish(tracked)
        self._settle(told)
        return told

    def due_ms(self, order: Order) -> int:
        """When to come back to an open order, should what follows its last move not have been done by then."""
        due_ms = self.finish.due_ms()
        return min(due_ms, to_ms(order.expires_at)) if order.expires_at else due_ms

    def revisit(self, tracked: Tracked) -> bool:
        """Do with an open order what is due: let it expire, or make good what was lost.

        False: Postgres is still away, and it is no use trying others now.
        """
        if tracked.order.is_expired(self.now()):
            self._expire(tracked)
            return True
        self.orders.set_attention(tracked, self.due_ms(tracked.order))
        self.subscriptions.tell_followers(tracked)
        found = self.orders.get(tracked.order.order_id)
        if found is None or found.order.status is not Status.OPEN:
            return True
        return self._settle(self.publisher.publish(found))

    def expire_due(self) -> int:
        """Let orders expire whose time is up, at most a batch of them; returns how many did."""
        expired = 0
        for order_id in self.orders.due_open(to_ms(self.now()), self.batch):
            tracked = self.orders.get(order_id)
            # The index lags behind the table.
            if tracked and tracked.order.status is Status.OPEN and tracked.order.is_expired(self.now()):
                expired += self._expire(tracked)
        return expired

    def _settle(self, told: Tracked) -> bool:
        """Record an open order, and leave it alone if nothing is left to do. False: Postgres is away."""
        order = told.order
        try:
            self.history.record(order)
        except HistoryUnavailableError as error:
            log.exception("history not recorded; left to the watchdog", extra={"orderId": order.order_id})
            return error.refused
        if order.expires_at and told.published == order.seq:
            self.orders.set_attention(told, to_ms(order.expires_at))
        return True

    def _expire(self, tracked: Tracked) -> bool:
        expired = tracked.order.moved(Status.EXPIRED, self.now())
        try:
            after = self.orders.write(tracked, expired, lease=None, attention_at_ms=self.finish.due_ms())
        except LostRaceError:
            # It was triggered, cancelled or amended just before.
            return False
        log.info("expired", extra={"orderId": expired.order_id})
        self.finish(after)
        return True
