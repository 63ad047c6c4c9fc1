"""Invocations side by side in virtual time: each runs in a greenlet, and a sleep of one lets the others go on."""

import heapq
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

from orderengine.testing.fakes.clock import FakeClock

Result = TypeVar("Result")


class Killed(Exception):
    """The invocation died before it answered."""


class Hub:
    """All greenlets of a hub belong to the thread that starts them. The clock never moves while one of them runs."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._numbers = count()
        self._sleeping: list[tuple[int, int, greenlet]] = []
        self._running: dict[greenlet, Future[Any]] = {}
        #: A killed process runs no ``finally``, which the end of a greenlet would do; so dead ones are kept.
        self._dead: list[greenlet] = []

    @property
    def is_busy(self) -> bool:
        return bool(self._running)

    @property
    def next_ms(self) -> int | None:
        """When the next sleeping invocation wakes, in milliseconds since the epoch."""
        return self._sleeping[0][0] if self._sleeping else None

    def start(self, work: Callable[[], Result]) -> "Future[Result]":
        """Run ``work`` until it first sleeps; the future has its result once it has ended."""
        answer: Future[Result] = Future()
        begun = greenlet(lambda: self._run(work, answer))
        self._running[begun] = answer
        begun.switch()
        return answer

    def _run(self, work: Callable[[], Result], answer: "Future[Result]") -> None:
        try:
            result = work()
        except Exception as error:
            self._running.pop(getcurrent(), None)
            answer.set_exception(error)
        else:
            self._running.pop(getcurrent(), None)
            answer.set_result(result)

    def sleep(self, seconds: float) -> None:
        """Let the other invocations go on; this one continues when its time has come."""
        me = getcurrent()
        if me not in self._running:
            raise RuntimeError("the engine sleeps in an invocation alone")
        wake_ms = self._clock.now_ms() + round(seconds * 1000)
        heapq.heappush(self._sleeping, (wake_ms, next(self._numbers), me))
        assert me.parent is not None
        me.parent.switch()

    def wake_due(self) -> None:
        """Continue the invocations whose time has come, until each of them sleeps again or has ended."""
        now_ms = self._clock.now_ms()
        while self._sleeping and self._sleeping[0][0] <= now_ms:
            heapq.heappop(self._sleeping)[2].switch()

    def kill_all(self) -> None:
        """End every invocation in the middle of its work, as a killed process ends."""
        killed, self._running, self._sleeping = self._running, {}, []
        self._dead += killed
        for answer in killed.values():
            answer.set_exception(Killed())

    def close(self) -> None:
        """Free what killed invocations hold."""
        self.kill_all()
        while self._dead:
            # They only run their ``finally`` blocks now, and none of them can sleep any more.
            with suppress(Exception):
                self._dead.pop().throw()
