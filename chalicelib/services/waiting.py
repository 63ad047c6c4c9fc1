"""Orders that wait: what each of their moves has in its wake, and how they expire.

An open order's attention is its expiry, once its subscribers are told and its history is recorded; until then it is a
moment soon, at which the watchdog makes good what was lost. So one date on the order stands for both.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

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

    def keep(self, tracked: Tracked) -> None:
        """Tell of an open order's last move and record it, and then leave it alone until it expires."""
        order = tracked.order
        tracked = self.publisher.publish(tracked)
        try:
            self.history.record(order)
        except HistoryUnavailableError:
            log.exception("history not recorded; left to the watchdog", extra={"orderId": order.order_id})
            return
        if order.expires_at and tracked.published == order.seq:
            self.orders.set_attention(tracked, to_ms(order.expires_at))

    def revisit(self, tracked: Tracked) -> bool:
        """Do with an open order what is due: let it expire, or make good what was lost. Whether it was done."""
        if tracked.order.is_expired(self.now()):
            return self._expire(tracked)
        self.orders.set_attention(tracked, self.finish.due_ms())
        self.subscriptions.tell_followers(tracked)
        found = self.orders.get(tracked.order.order_id)
        if found and found.order.status is Status.OPEN:
            self.keep(found)
        return True

    def expire_due(self) -> int:
        """Let orders expire whose time is up, at most a batch of them; returns how many did."""
        expired = 0
        for order_id in self.orders.due_open(to_ms(self.now()), self.batch):
            tracked = self.orders.get(order_id)
            # The index lags behind the table.
            if tracked and tracked.order.status is Status.OPEN and tracked.order.is_expired(self.now()):
                expired += self._expire(tracked)
        return expired

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
