"""How much one user may pile up, so that the others' orders have room."""

from collections.abc import Callable

from chalicelib.domain.errors import BacklogFullError
from chalicelib.ports import OrderStore

#: Of the room that a count has found, this part may be used up before the next count: an order need not cost a query,
#: and the closer a user comes to the limit, the more often it is counted.
_TRUSTED_PART = 20
_TRUSTED_ORDERS = 10
_TRUSTED_SECONDS = 10.0
_REMEMBERED_USERS = 1000
_RETRY_SECONDS = 5


class Backlog:
    """Counts a user's orders that are not over. ``limit`` 0 takes any number. Built once per process."""

    def __init__(self, orders: OrderStore, limit: int, monotonic: Callable[[], float]) -> None:
        self._orders = orders
        self._limit = limit
        self._monotonic = monotonic
        self._trusted: dict[str, tuple[int, float]] = {}

    def admit(self, user_id: str) -> None:
        """:raises BacklogFullError: if the user has as many orders that are not over as the limit allows."""
        if not self._limit:
            return
        left, until = self._trusted.get(user_id, (0, 0.0))
        if not left or self._monotonic() > until:
            room = self._limit - self._orders.count_open(user_id, self._limit)
            if room <= 0:
                raise BacklogFullError(_RETRY_SECONDS)
            left, until = max(1, min(room // _TRUSTED_PART, _TRUSTED_ORDERS)), self._monotonic() + _TRUSTED_SECONDS
            if len(self._trusted) >= _REMEMBERED_USERS:
                self._trusted.clear()
        self._trusted[user_id] = (left - 1, until)
