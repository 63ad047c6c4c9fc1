"""Statistics: execution quality, and how far the history lags behind the orders table."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.identity import Caller, Scope
from chalicelib.ports.history import ExecutionQuality, History, HistoryTooSlowError, HistoryUnavailableError
from chalicelib.ports.orders import HistoryLag, OrderStore

log = logging.getLogger(__name__)

_WINDOW = timedelta(hours=24)
#: The history lag is counted up to this many orders.
MAX_COUNTED_LAG = 1000


class Outage(StrEnum):
    """Why the execution quality is missing."""

    TOO_SLOW = "TOO_SLOW"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Stats:
    """``execution`` covers the orders accepted since then, or is missing because of the outage."""

    since: datetime
    execution: ExecutionQuality | None
    outage: Outage | None
    lag: HistoryLag


@dataclass(frozen=True, slots=True)
class ShowStats:
    orders: OrderStore
    history: History
    now: Callable[[], datetime]

    def __call__(self, caller: Caller) -> Stats:
        """Execution quality of the last day, or of the part of it that can be summed up in time; the history lag.

        :raises MissingScopeError: without ``operate``, because the numbers are about the orders of all users.
        """
        caller.require(Scope.OPERATE)
        since = self.now() - _WINDOW
        execution, outage = self._execution(since)
        if execution and execution.covered_since:
            since = execution.covered_since
        return Stats(since, execution, outage, self.orders.history_lag(MAX_COUNTED_LAG))

    def _execution(self, since: datetime) -> tuple[ExecutionQuality | None, Outage | None]:
        try:
            return self.history.quality(since), None
        except HistoryTooSlowError:
            log.exception("stats without the history, which is too slow")
            return None, Outage.TOO_SLOW
        except HistoryUnavailableError:
            log.exception("stats without the history")
            return None, Outage.UNAVAILABLE
