"""The deployment of the test kit: ten orders swap side by side, and a caller that waits lets time pass."""

import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from math import inf
from random import Random
from typing import Any, TypeVar

from chalicelib.bootstrap import using
from chalicelib.domain.status import Status
from chalicelib.engine import Engine
from chalicelib.http.application import app
from chalicelib.settings import Settings
from chalicelib.streaming import connections
from orderengine.testing.deployment import Deployment, Handler
from orderengine.testing.hub import Hub, Killed
from orderengine.testing.order_faults import FaultySubmit, OrderFaults
from orderengine.testing.parts import Parts
from orderengine.testing.queues import Message, Queue
from orderengine.testing.sockets import Mailbox, VirtualSockets

log = logging.getLogger(__name__)
# A test sees the logs of its engine where it has a handler for them. Without one, Python would print the warnings.
logging.getLogger(using.__module__.removesuffix(".bootstrap")).addHandler(logging.NullHandler())

#: The invocations at once of the function of each queue. The processor's reserved concurrency is ten.
_MAX_INVOCATIONS = 10

Result = TypeVar("Result")


class ConcurrentDeployment(Deployment):
    """Invocations run in greenlets, and ``step`` handles the next event. All calls must be of one thread."""

    def __init__(self, settings: Settings, parts: Parts, random: Random, sockets: VirtualSockets) -> None:
        self.hub = Hub(parts.clock)
        self.sockets = sockets
        self.faults = OrderFaults(self._check_fault)
        super().__init__(settings, parts, random, sockets=sockets)
        self._busy: Counter[str] = Counter()
        self._looks_ms = settings.market_tick_seconds * 1000
        self._next_look_ms = self._look_after(self.clock.now_ms())

    def new_engine(self) -> Engine:
        engine = super().new_engine()
        submit: Any = FaultySubmit(engine.submit, self.faults)
        return replace(engine, submit=submit)

    def _check_fault(self, text: str) -> None:
        check = self.engine.rules.check_fault
        if check is None:
            raise ValueError("without simulation there are no faults: leave out simulation=False")
        check(text)

    # --- invocations --------------------------------------------------------------------------------------

    def invoke(self, work: Callable[[], Result]) -> "Future[Result]":
        """Begin an invocation; the future has its result once it has ended."""

        def invocation() -> Result:
            with using(self.engine):
                return work()

        return self.hub.start(invocation)

    def sleep(self, seconds: float) -> None:
        # Chalice keeps the request in the application, because a function handles one at a time.
        request = app.current_request
        self.hub.sleep(seconds)
        app.current_request = request

    def restart(self) -> None:
        """Kill every process. New ones remember nothing, and get the messages of the dead ones again."""
        self.hub.kill_all()
        self._busy.clear()
        self.engine = self.new_engine()

    def relocate(self, public_ws_url: str) -> None:
        """Let answers name another address of the sockets."""
        self.settings = replace(self.settings, public_ws_url=public_ws_url)
        self.engine = self.new_engine()

    def cut_sockets(self, concerned: Callable[[Mailbox], bool]) -> None:
        """Cut the connections of some sockets. API Gateway notices every other end."""
        for connection_id in self.sockets.cut(concerned, self.random):
            self.disconnect(connection_id)

    def disconnect(self, connection_id: str) -> None:
        """Tell the engine that a socket has ended, as API Gateway does."""
        event = {"requestContext": {"connectionId": connection_id}}
        self.watch(self.invoke(lambda: connections.disconnect(self.engine, event)), "a disconnect")

    def _deliver(self, queue: Queue, message: Message, handler: Handler) -> None:
        event, receipt, busy = queue.receive(message), message.receipt, self._busy
        busy[queue.name] += 1

        def ended(answer: "Future[Any]") -> None:
            busy[queue.name] -= 1
            # A later delivery invalidates the receipt, which then deletes nothing.
            done = answer.exception() is None and not answer.result()["batchItemFailures"]
            if done and message.receipt == receipt:
                queue.delete(message)

        work = self.invoke(lambda: handler(self.engine, event))
        work.add_done_callback(ended)
        self.watch(work, f"a delivery of {queue.name}")

    def watch(self, work: "Future[Any]", what: str) -> None:
        """Log the error of an invocation without a caller."""

        def report(ended: "Future[Any]") -> None:
            error = ended.exception()
            if error and not isinstance(error, Killed):
                log.error("%s failed", what, exc_info=error)

        work.add_done_callback(report)

    # --- virtual time -------------------------------------------------------------------------------------

    def step(self, until_ms: int) -> bool:
        """Handle the next event; return False, with the clock at ``until_ms``, if none is due by then."""
        if self._deliver_visible():
            return True
        next_ms = self._next_ms()
        self._move_to(min(next_ms, until_ms))
        if next_ms > until_ms:
            return False
        self.hub.wake_due()
        for connection_id in self.sockets.end_due():
            self.disconnect(connection_id)
        if self._next_look_ms <= self.clock.now_ms():
            self._look()
        return True

    @property
    def is_settled(self) -> bool:
        """Whether no order is being executed, told or recorded."""
        busy = self.hub.is_busy or any(queue.messages for queue, _ in self.handlers)
        return not busy and all(
            stored.deadline_ms is None if stored.order.is_terminal else stored.order.status is Status.OPEN
            for stored in self.all_orders().values()
        )

    def _deliver_visible(self) -> bool:
        delivered = False
        for queue, handler in self.handlers:
            if queue.messages and (room := _MAX_INVOCATIONS - self._busy[queue.name]):
                for message in queue.visible()[:room]:
                    self._deliver(queue, message, handler)
                    delivered = True
        return delivered

    def _next_ms(self) -> float:
        waking, ending = self.hub.next_ms, self.sockets.next_end_ms
        times = [at_ms for at_ms in (waking, ending) if at_ms is not None]
        for queue, _ in self.handlers:
            if queue.messages and self._busy[queue.name] < _MAX_INVOCATIONS:
                times.append(min(message.visible_at_ms for message in queue.messages.values()))
        return min([*times, self._look_time()])

    def _look_time(self) -> float:
        """When the next look is due. There is none while no look could find anything."""
        if self.is_settled and not self.awaits_the_market():
            return inf
        if self._next_look_ms < self.clock.now_ms():
            self._next_look_ms = self._look_after(self.clock.now_ms())
        return self._next_look_ms

    def _look(self) -> None:
        self._next_look_ms = self._look_after(self.clock.now_ms())
        for look in (self.engine.watchdog, self.engine.market.look):
            self.watch(self.invoke(look), "a look")

    def _look_after(self, at_ms: int) -> int:
        return (at_ms // self._looks_ms + 1) * self._looks_ms

    def _move_to(self, at_ms: float) -> None:
        if (behind := at_ms - self.clock.now_ms()) > 0:
            self.clock.sleep(behind / 1000)
