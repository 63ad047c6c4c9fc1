"""Who moves virtual time: callers that wait for an answer, a frame or a moment, each up to its own deadline.

A deployment runs in one thread, which all deployments of a process share: greenlets stay in the thread that starts
them, and Chalice keeps the request of the moment in its application. Callers of any thread or event loop take turns.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from orderengine.testing.concurrent import ConcurrentDeployment

_THREAD = ThreadPoolExecutor(1, thread_name_prefix="orderengine")
#: The events that a caller handles before another one gets its turn.
_EVENTS_AT_ONCE = 200
#: Nothing that an execution waits for is further away.
_EXECUTION_MS = 15 * 60_000
#: The turns of an event loop between two events, in which its tasks may begin to wait too.
_TURNS = 5
#: The pause between two looks of a caller in real time.
_POLL_SECONDS = 0.005

Result = TypeVar("Result")


class Driver:
    """Waits on a deployment. With ``skips_time`` a wait takes no real time; without it the deployment follows it."""

    def __init__(self, deployment: ConcurrentDeployment, *, skips_time: bool = True) -> None:
        self.deployment = deployment
        self.skips_time = skips_time
        #: The deadlines of the callers that wait, with the event loop of each that is a task.
        self._deadlines: list[tuple[int, asyncio.AbstractEventLoop | None]] = []

    def call(self, work: Callable[[], Result]) -> Result:
        """Run ``work`` in the thread of the deployment."""
        return _THREAD.submit(work).result()

    def wait(self, is_done: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is done; return False if it is not within ``seconds`` of virtual time.

        The tasks of an event loop that this call blocks cannot act meanwhile, so time does not wait for them.
        """
        blocked = _running_loop()
        with self._deadline(seconds, None) as deadline_ms:
            while (found := self._look(is_done, deadline_ms, _EVENTS_AT_ONCE, blocked)) is None:
                time.sleep(0 if self.skips_time else _POLL_SECONDS)
            return found

    async def wait_async(self, is_done: Callable[[], bool], seconds: float) -> bool:
        """``wait`` for a task of an event loop; its other tasks go on meanwhile."""
        with self._deadline(seconds, asyncio.get_running_loop()) as deadline_ms:
            found = None
            while found is None:
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
                found = self._look(is_done, deadline_ms, 1)
                if not self.skips_time:
                    await asyncio.sleep(_POLL_SECONDS)
            return found

    def advance(self, seconds: float) -> None:
        """Let time pass, and everything that becomes due in it happen."""
        self.call(partial(self._advance, seconds))

    def _advance(self, seconds: float) -> None:
        until_ms = self.deployment.clock.now_ms() + round(seconds * 1000)
        while self.deployment.step(until_ms):
            pass

    def go_on(self) -> None:
        """Handle the next events, and let the time until each pass, while orders are executed, told or recorded."""
        self.call(self._go_on)

    def _go_on(self) -> None:
        until_ms = self.deployment.clock.now_ms() + _EXECUTION_MS
        for _ in range(_EVENTS_AT_ONCE):
            if self.deployment.is_settled or not self.deployment.step(until_ms):
                return

    def settle(self, seconds: float) -> bool:
        """Let time pass until no order is being executed; return False if one still is after ``seconds``."""
        return self.wait(lambda: self.deployment.is_settled, seconds)

    @contextmanager
    def _deadline(self, seconds: float, loop: asyncio.AbstractEventLoop | None) -> Iterator[int]:
        deadline = self.deployment.clock.now_ms() + round(seconds * 1000), loop
        self._deadlines.append(deadline)
        try:
            yield deadline[0]
        finally:
            self._deadlines.remove(deadline)

    def _look(
        self,
        is_done: Callable[[], bool],
        deadline_ms: int,
        events: int,
        blocked: asyncio.AbstractEventLoop | None = None,
    ) -> bool | None:
        """Handle some events; ``None`` means that it is another's turn."""
        return self.call(partial(self._run, is_done, deadline_ms, events, blocked))

    def _run(
        self,
        is_done: Callable[[], bool],
        deadline_ms: int,
        events: int,
        blocked: asyncio.AbstractEventLoop | None,
    ) -> bool | None:
        for _ in range(events):
            if is_done():
                return True
            if self.deployment.clock.now_ms() >= deadline_ms:
                return False
            if not self.skips_time:
                break
            # Time must not pass the moment at which another caller can act.
            deadlines = [at_ms for at_ms, loop in list(self._deadlines) if loop is None or loop is not blocked]
            self.deployment.step(min(deadlines))
            if len(deadlines) > 1:
                break
        return None


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
