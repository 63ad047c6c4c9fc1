"""Limits per user, so that one user's orders leave room for those of others."""

from collections.abc import Callable

from chalicelib.domain.errors import TooManyOrdersError

#: After a count, a process admits this share of the free room without another count. An order then seldom costs a
#: query, and the closer a user is to the limit, the more often the process counts.
_UNCOUNTED_SHARE = 20
_MAX_UNCOUNTED_ORDERS = 10
_COUNT_VALID_SECONDS = 10.0
_MAX_CACHED_USERS = 1000


class UserOrderLimit:
    """Limits one kind of order per user. ``limit`` 0 switches it off. One per process.

    ``count`` counts a user's orders of that kind up to a number; ``error`` is raised at the limit, with the time in
    which one of them usually ends.
    """

    def __init__(
        self,
        count: Callable[[str, int], int],
        limit: int,
        monotonic: Callable[[], float],
        error: type[TooManyOrdersError],
        retry_seconds: int,
    ) -> None:
        self._count = count
        self._error = error
        self._retry_seconds = retry_seconds
        self._limit = limit
        self._monotonic = monotonic
        self._uncounted: dict[str, tuple[int, float]] = {}

    def admit(self, user_id: str) -> None:
        """:raises TooManyOrdersError: if the user has as many of these orders as the limit allows."""
        if not self._limit:
            return
        left, valid_until = self._uncounted.get(user_id, (0, 0.0))
        if not left or self._monotonic() > valid_until:
            room = self._limit - self._count(user_id, self._limit)
            if room <= 0:
                raise self._error(self._retry_seconds)
            left = max(1, min(room // _UNCOUNTED_SHARE, _MAX_UNCOUNTED_ORDERS))
            valid_until = self._monotonic() + _COUNT_VALID_SECONDS
            if len(self._uncounted) >= _MAX_CACHED_USERS:
                self._uncounted.clear()
        self._uncounted[user_id] = (left - 1, valid_until)
