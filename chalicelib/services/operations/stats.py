"""How orders are executed, and how far their history is behind."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.codec.times import to_text
from chalicelib.ports.history import History, HistoryUnavailableError
from chalicelib.ports.orders import OrderStore

log = logging.getLogger(__name__)

_WINDOW = timedelta(hours=24)
#: Beyond this nobody needs to know how many exactly.
_COUNTED = 1000


def lag_of(orders: OrderStore) -> dict[str, Any]:
    """What is over and not in the history yet: how many orders (1000 is 1000 or more), the oldest accepted when."""
    behind = orders.behind(_COUNTED)
    return {"behind": behind.orders, "since": to_text(behind.since) if behind.since else None}


@dataclass(frozen=True, slots=True)
class ShowStats:
    orders: OrderStore
    history: History
    now: Callable[[], datetime]

    def __call__(self) -> dict[str, Any]:
        """Execution quality of the last day; ``execution`` is ``None`` while Postgres is away."""
        since = self.now() - _WINDOW
        execution: dict[str, Any] | None = None
        try:
            execution = self.history.quality(since)
        except HistoryUnavailableError:
            log.exception("stats without the history")
        return {"since": to_text(since), "execution": execution, "history": lag_of(self.orders)}
