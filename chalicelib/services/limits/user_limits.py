"""How much one user may pile up, so that the others' orders have room."""

from collections.abc import Callable

from chalicelib.domain.errors import TooManyOrdersError

#: Of the room that a count has found, this part may be used up before the next count: an order need not cost a query,
#: and the closer a user comes to the limit, the more often it is counted.
_TRUSTED_PART = 20
_TRUSTED_ORDERS = 10
_TRUSTED_SECONDS = 10.0
_REMEMBERED_USERS = 1000
_RETRY_SECONDS = 5


class UserOrderLimit:
    """Counts a user's orders, of one kind. ``limit`` 0 takes any number. Built once per process.

    ``count`` counts a user's orders up to a number; ``full`` is raised where there are too many.
    """

    def __init__(
        self,
        count: Callable[[str, int], int],
        limit: int,
        monotonic: Callable[[], float],
        full: type[TooManyOrdersError],
    ) -> None:
        self._count = count
        self._full = full
        self._limit = limit
        self._monotonic = monotonic
        self._trusted: dict[str, tuple[int, float]] = {}

    def admit(self, user_id: str) -> None:
        """:raises TooManyOrdersError: if the user has as many of these orders as the limit allows."""
        if not self._limit:
            return
        left, until = self._trusted.get(user_id, (0, 0.0))
        if not left or self._monotonic() > until:
            room = self._limit - self._count(user_id, self._limit)
            if room <= 0:
                raise self._full(_RETRY_SECONDS)
            left, until = max(1, min(room // _TRUSTED_PART, _TRUSTED_ORDERS)), self._monotonic() + _TRUSTED_SECONDS
            if len(self._trusted) >= _REMEMBERED_USERS:
                self._trusted.clear()
        self._trusted[user_id] = (left - 1, until)
