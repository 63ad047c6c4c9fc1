"""The request rate of a user, which holds in all environments together and seldom costs a write.

Time is divided into windows. In each window an environment answers a user's first requests without a call, its free
share, and takes permits for the further ones from a counter that all environments share, several with each write.

A user whose requests in a window are within the limit is never refused: the unused permits of an environment are at
most as many as the free requests that it has answered, so the counter runs out at the limit or later. A user beyond
the limit gets at most the limit, the last permits taken, and the free share of each environment.
"""

import logging
from collections.abc import Callable
from math import ceil

from chalicelib.domain.errors import TooManyRequestsError
from chalicelib.domain.identity import Caller
from chalicelib.ports.rate_limit import RequestPermits

log = logging.getLogger(__name__)

WINDOW_MS = 10_000
_MINUTE_MS = 60_000
#: The free share of an environment is this part of the limit.
_FREE_PART = 20


class RequestRate:
    """Limits the requests of each authenticated user; ``per_minute`` 0 switches it off. One per process."""

    def __init__(self, permits: RequestPermits, per_minute: int, now_ms: Callable[[], int]) -> None:
        self._permits = permits
        self._now_ms = now_ms
        self._limit = ceil(per_minute * WINDOW_MS / _MINUTE_MS)
        self._free = self._limit // _FREE_PART
        self._began_ms = 0
        #: How many requests each user may still send without a call.
        self._left: dict[str, int] = {}

    def admit(self, caller: Caller) -> None:
        """Count a request. The throttle of the stage alone limits callers without a credential.

        :raises TooManyRequestsError: if the user has used up the limit of this window.
        """
        if not self._limit or caller.credential is None:
            return
        now_ms = self._now_ms()
        began_ms = now_ms - now_ms % WINDOW_MS
        if began_ms != self._began_ms:
            self._began_ms, self._left = began_ms, {}
        left = self._left.get(caller.user_id, self._free)
        if left == 0 and self._take(caller.user_id):
            left = self._free + 1
        # A user without permits stays refused in this window without another call.
        self._left[caller.user_id] = max(left, 0) - 1
        if left <= 0:
            raise TooManyRequestsError(ceil((began_ms + WINDOW_MS - now_ms) / 1000))

    def _take(self, user_id: str) -> bool:
        """Take one permit more than the free share has requests. Without DynamoDB, the requests are admitted."""
        try:
            return self._permits.take(user_id, self._began_ms, self._free + 1, self._limit)
        except Exception:
            log.exception("request permits not counted; the requests are admitted")
            return True
