"""Statistics: execution quality, and how far the history lags behind the orders table."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.codec.times import earlier
from chalicelib.domain.identity import Caller, Scope
from chalicelib.ports.history import ExecutionQuality, History, HistoryTooSlowError, HistoryUnavailableError
from chalicelib.ports.orders import HistoryLag, OrderStore
from chalicelib.services.orders.lookup import user_for

log = logging.getLogger(__name__)

_WINDOW = timedelta(hours=24)
#: The history lag is counted up to this many orders.
MAX_COUNTED_LAG = 1000


class Outage(StrEnum):
    """Why a part of an answer is missing."""

    TOO_SLOW = "TOO_SLOW"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Stats:
    """``execution`` covers the orders accepted from ``since`` to ``until``, or is missing because of the outage.

    ``user_id``: the user whose orders these are; ``None`` for those of all users. ``lag`` is that of the whole
    engine, and ``None`` for a caller without ``operate``.
    """

    since: datetime
    until: datetime
    user_id: str | None
    execution: ExecutionQuality | None
    outage: Outage | None
    lag: HistoryLag | None


@dataclass(frozen=True, slots=True)
class ShowStats:
    orders: OrderStore
    history: History
    now: Callable[[], datetime]

    def __call__(
        self,
        caller: Caller,
        user_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Stats:
        """Execution quality of a window, or of the part of it that can be summed up in time; the history lag.

        The window is the day before ``until``, which is now, unless the caller says otherwise. A caller without
        ``operate`` receives the statistics of its own orders only.

        :raises MissingScopeError: if the caller lacks ``read``, or names another user without ``operate``.
        """
        own_id, now, is_operator = user_for(caller, user_id, Scope.READ), self.now(), Scope.OPERATE in caller.scopes
        if not is_operator:
            user_id = own_id
        since = since or earlier(until or now, _WINDOW)
        execution, outage = self._execution(since, until, user_id)
        return Stats(
            since=(execution and execution.covered_since) or since,
            until=until or max(now, since),
            user_id=user_id,
            execution=execution,
            outage=outage,
            lag=self.orders.history_lag(MAX_COUNTED_LAG) if is_operator else None,
        )

    def _execution(
        self, since: datetime, until: datetime | None, user_id: str | None
    ) -> tuple[ExecutionQuality | None, Outage | None]:
        try:
            return self.history.quality(since, until, user_id), None
        except HistoryTooSlowError:
            log.exception("stats without the history, which is too slow")
            return None, Outage.TOO_SLOW
        except HistoryUnavailableError:
            log.exception("stats without the history")
            return None, Outage.UNAVAILABLE
