"""Wakes the looks for what arrives while none are queued.

Each order has looks from its acceptance on for ``MIN_COVERED_SECONDS``, within which the check of the next minute
finds it. The cover is made sure before the write that accepts the order: a process that dies right after the write
leaves an order that the watchdog finds at its next look.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, wait
from contextlib import contextmanager
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.ports.looks import LookCover
from chalicelib.ports.queues import LookQueue
from chalicelib.services.operations.looks import MIN_COVERED_SECONDS, TRUSTED_SECONDS, trusted_until_ms

log = logging.getLogger(__name__)

#: An order is written without its cover after so long. The next minute's check makes good for it. The answer still
#: waits for the end of the request, which the queue bounds.
_MAX_WAIT_SECONDS = 1.0
#: From the end of a try that failed, a process accepts orders for so long without another one.
_PAUSE_SECONDS = 5


class WakeLooks:
    """One per process, which remembers the cover: with a steady flow of orders it reads it once a minute."""

    def __init__(self, cover: LookCover, queue: LookQueue, executor: Executor, now: Callable[[], datetime]) -> None:
        self._cover = cover
        self._queue = queue
        self._executor = executor
        self._now = now
        self._until_ms = 0
        self._tries_again_ms = 0

    @contextmanager
    def beside(self) -> Iterator[Callable[[], None]]:
        """Wake the looks, if they sleep, beside the work of the block, which calls what this yields before it writes.

        A failure is logged and never raised.
        """
        now_ms = to_ms(self._now())
        if self._is_covered(now_ms) or now_ms < self._tries_again_ms:
            yield _go_on
            return
        waking = self._executor.submit(self._wake, now_ms)
        try:
            yield lambda: _wait_briefly(waking)
        finally:
            # No call runs on after the return: Lambda would freeze it.
            wait([waking])

    def _is_covered(self, now_ms: int) -> bool:
        return self._until_ms >= now_ms + MIN_COVERED_SECONDS * 1000

    def _wake(self, now_ms: int) -> None:
        try:
            self._until_ms = trusted_until_ms(self._cover, now_ms)
            if not self._is_covered(now_ms):
                self._queue.wake()
                self._until_ms = now_ms + (MIN_COVERED_SECONDS + TRUSTED_SECONDS) * 1000
        except Exception:
            self._tries_again_ms = to_ms(self._now()) + _PAUSE_SECONDS * 1000
            log.exception("looks not woken; the check of the next minute makes good for it")


def _go_on() -> None:
    """The looks are awake."""


def _wait_briefly(waking: Future[None]) -> None:
    if wait([waking], _MAX_WAIT_SECONDS).not_done:
        log.warning("looks not woken yet; the order does not wait for it")
