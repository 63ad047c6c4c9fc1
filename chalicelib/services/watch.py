"""The watchdog: sends again what should have moved on by now and did not, whatever the reason."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.encoding.times import to_ms
from chalicelib.ports import LostRaceError, OrderStore
from chalicelib.services.submit import SubmitOrder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WatchOrders:
    orders: OrderStore
    submit: SubmitOrder
    now: Callable[[], datetime]
    batch: int
    pause_seconds: int

    def __call__(self) -> int:
        """Send overdue orders on, at most ``batch`` of them; returns how many.

        Each is put off before it is sent, so that a slow queue does not get the same order every tick.
        """
        now_ms = to_ms(self.now())
        return sum(self._send_on(order_id, now_ms) for order_id in self.orders.due(now_ms, self.batch))

    def _send_on(self, order_id: str, now_ms: int) -> bool:
        tracked = self.orders.get(order_id)
        # The index lags behind the table.
        if tracked is None or tracked.attention_at_ms is None or tracked.attention_at_ms > now_ms:
            return False
        if tracked.lease and tracked.lease.until_ms > now_ms:
            return False
        try:
            put_off = self.orders.write(
                tracked, tracked.order, lease=None, attention_at_ms=now_ms + self.pause_seconds * 1000
            )
            self.submit.dispatch(put_off)
        except LostRaceError:
            return False
        except Exception:
            # One order that cannot be sent must not keep the others waiting; it is due again after the pause.
            log.exception("overdue and not sent", extra={"orderId": order_id})
            return False
        log.warning("overdue, sent again", extra={"orderId": order_id, "status": tracked.order.standing.value})
        return True
