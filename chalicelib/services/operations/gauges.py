"""The states that operators watch, read by a look of the watchdog at most once a minute."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.observability import operations as observe
from chalicelib.ports.orders import OrderStore
from chalicelib.services.operations.stats import MAX_COUNTED_LAG
from chalicelib.services.operations.work import FindWork

log = logging.getLogger(__name__)

_PAUSE = timedelta(minutes=1)


class ReadGauges:
    """One per process."""

    def __init__(self, orders: OrderStore, find_work: FindWork, now: Callable[[], datetime]) -> None:
        self._orders = orders
        self._find_work = find_work
        self._now = now
        self._next_at: datetime | None = None

    def __call__(self) -> None:
        """Count the terminal orders without history and the orders under lease, unless this did so a moment ago."""
        now = self._now()
        if self._next_at and now < self._next_at:
            return
        self._next_at = now + _PAUSE
        try:
            lag, work = self._orders.history_lag(MAX_COUNTED_LAG), self._find_work(now)
        except Exception:
            # The look itself is done; repeating it would help nobody.
            log.exception("the gauges are not read")
            return
        age = (now - lag.since).total_seconds() if lag.since else 0
        observe.gauges_read(lag.orders, age, len(work.leased))
