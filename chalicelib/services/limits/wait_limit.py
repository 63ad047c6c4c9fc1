"""The limit on the requests that wait for an event, in all environments together.

A waiting request takes an environment of the API for seconds. The limit leaves the others to all other requests, and
the limit of a user leaves waits to the other users.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import ceil

from chalicelib.domain.errors import TooManyWaitsError
from chalicelib.domain.identity import Caller
from chalicelib.ports.event_waits import MAX_WAIT_SECONDS, WINDOW_SECONDS, WaitCounts

log = logging.getLogger(__name__)

_ALL = "all"


@dataclass(frozen=True, slots=True)
class LimitWaits:
    """``most`` waits of all users, and ``most_of_user`` of an authenticated one, where 0 is no limit.

    With ``most`` 0 no call may wait. ``now`` is in seconds since the epoch.
    """

    counts: WaitCounts
    now: Callable[[], int]
    most: int
    most_of_user: int

    @contextmanager
    def counted(self, caller: Caller) -> Iterator[None]:
        """Count a wait of the caller's while the block runs.

        :raises TooManyWaitsError: if as many waits go on as may.
        """
        with ExitStack() as counted:
            if self.most_of_user and caller.credential is not None:
                counted.enter_context(self._counted(f"user#{caller.user_id}", self.most_of_user))
            counted.enter_context(self._counted(_ALL, self.most))
            yield

    @contextmanager
    def _counted(self, counter: str, most: int) -> Iterator[None]:
        window = self.now() // WINDOW_SECONDS
        if not self.counts.begin(counter, window, most):
            # If every wait takes its full time, one of them ends in this time.
            raise TooManyWaitsError(ceil(MAX_WAIT_SECONDS / most))
        try:
            yield
        finally:
            self._end(counter, window)

    def _end(self, counter: str, window: int) -> None:
        try:
            self.counts.end(counter, window)
        except Exception:
            # The answer is ready, and the count ends with the next window.
            log.exception("the end of a wait is not counted")
