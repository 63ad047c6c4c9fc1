"""Statistics: execution quality, and how far the history lags behind the orders table."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.identity import Caller, Scope
from chalicelib.ports.history import ExecutionQuality, History, HistoryUnavailableError
from chalicelib.ports.orders import HistoryLag, OrderStore

log = logging.getLogger(__name__)

_WINDOW = timedelta(hours=24)
#: The history lag is counted up to this many orders.
MAX_COUNTED_LAG = 1000


@dataclass(frozen=True, slots=True)
class Stats:
    """``execution`` covers the orders accepted since then; ``None`` while Postgres does not answer."""

    since: datetime
    execution: ExecutionQuality | None
    lag: HistoryLag


@dataclass(frozen=True, slots=True)
class ShowStats:
    orders: OrderStore
    history: History
    now: Callable[[], datetime]

    def __call__(self, caller: Caller) -> Stats:
        """Execution quality of the last day, and the history lag."""
        caller.require(Scope.READ)
        since = self.now() - _WINDOW
        execution: ExecutionQuality | None = None
        try:
            execution = self.history.quality(since)
        except HistoryUnavailableError:
            log.exception("stats without the history")
        return Stats(since, execution, self.orders.history_lag(MAX_COUNTED_LAG))
