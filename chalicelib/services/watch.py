"""The watchdog: sends again what should have moved on by now and did not, whatever the reason."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.status import Status
from chalicelib.encoding.times import to_ms
from chalicelib.ports import LostRaceError, OrderQueue, OrderStore, StreamStore, Tracked
from chalicelib.services.finish import FinishOrder
from chalicelib.services.waiting import OpenOrders

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WatchOrders:
    orders: OrderStore
    streams: StreamStore
    queue: OrderQueue
    finish: FinishOrder
    open_orders: OpenOrders
    now: Callable[[], datetime]
    batch: int
    pause_seconds: int

    def __call__(self) -> int:
        """Move overdue orders on, at most ``batch`` of them; returns how many."""
        now_ms = to_ms(self.now())
        moved = 0
        for order_id in self.orders.due(now_ms, self.batch):
            tracked = self.orders.get(order_id)
            # The index lags behind the table.
            if tracked is None or tracked.attention_at_ms is None or tracked.attention_at_ms > now_ms:
                continue
            if tracked.lease and tracked.lease.until_ms > now_ms:
                continue
            if tracked.order.status is Status.OPEN:
                if not self.open_orders.revisit(tracked):
                    # As below: each order would wait for Postgres anew.
                    break
                moved += 1
            elif tracked.order.is_terminal:
                if not self.finish(tracked):
                    # Postgres is still away, and each order would wait for it anew.
                    break
                moved += 1
            else:
                moved += self._send_again(tracked, now_ms)
        log.info("watched", extra={"moved": moved})
        return moved

    def _send_again(self, tracked: Tracked, now_ms: int) -> bool:
        """Queue the order, and put it off first: each time for as long as it has been waiting.

        So a slow queue gets an old order twice, four times, eight times later, and not on every tick.
        """
        order = tracked.order
        waited_ms = now_ms - to_ms(order.events[0].at)
        try:
            put_off = self.orders.write(
                tracked, order, lease=None, attention_at_ms=now_ms + max(self.pause_seconds * 1000, waited_ms)
            )
            self.queue.send(self._with_followers(put_off))
        except LostRaceError:
            return False
        except Exception:
            # One order that cannot be sent must not keep the others waiting; it is due again after the pause.
            log.exception("overdue and not sent", extra={"orderId": order.order_id})
            return False
        log.warning("overdue, sent again", extra={"orderId": order.order_id, "status": order.standing.value})
        return True

    def _with_followers(self, tracked: Tracked) -> Tracked:
        """Whoever accepted the order may not have got to its user's followers; the processor tells them all of it."""
        order = tracked.order
        missing = self.streams.followers(order.spec.user_id) - tracked.subscribers
        if missing and self.orders.join(order.order_id, missing, order.seq):
            return replace(tracked, published=0)
        return tracked
