"""A world whose looks are messages, as on AWS: a schedule asks for them once a minute, and nothing else looks."""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.codec.looks import look_message, read_look_message
from chalicelib.consumers.looks import run_looks
from chalicelib.engine import Engine
from chalicelib.ports.queues import Look, LooksOfMinute
from orderengine.testing.deployment import VISIBILITY_SECONDS
from orderengine.testing.parts import Parts
from orderengine.testing.queues import LookPort, Message, Queue
from tests.faults.virtual.world import World

MINUTE_MS = 60_000


class SleepingWorld(World):
    """``looks`` counts the looks that ran, ``checks`` the requests of the schedule that found nothing to wait for."""

    #: Called after each delivery of any queue.
    at_each_delivery: Callable[[], None] = staticmethod(lambda: None)

    def more_ports(self, parts: Parts) -> dict[str, Any]:
        self.looks = self.checks = 0
        self.looks_queue = Queue("looks", parts.clock.now_ms, visibility_seconds=VISIBILITY_SECONDS)
        self._next_minute_ms = parts.clock.now_ms()
        return {"look_queue": LookPort(self.looks_queue)}

    def new_engine(self) -> Engine:
        self.handlers = [one for one in self.handlers if one[0] is not self.looks_queue]
        self.handlers.append((self.looks_queue, self._run_looks))
        return super().new_engine()

    def _run_looks(self, engine: Engine, event: Mapping[str, Any]) -> Mapping[str, Any]:
        message = read_look_message(event["Records"][0]["body"])
        queued = self.looks_queue.sent
        try:
            run_looks(engine, event)
        except Exception:
            return {"batchItemFailures": [event]}
        self.looks += isinstance(message, Look)
        self.checks += isinstance(message, LooksOfMinute) and self.looks_queue.sent == queued
        return {"batchItemFailures": []}

    def deliver(self, queue: Queue, message: Message) -> None:
        super().deliver(queue, message)
        self.at_each_delivery()

    def look_times(self) -> list[int]:
        return [self._next_minute_ms]

    def run_due_looks(self) -> None:
        if self.clock.now_ms() >= self._next_minute_ms:
            self._next_minute_ms += MINUTE_MS
            self.looks_queue.put(look_message(LooksOfMinute()))

    def fall_asleep(self, seconds: float) -> None:
        """Let the schedule find nothing to wait for, and then so many seconds pass."""
        self._advance_to(self._next_minute_ms)
        self.run_due_looks()
        self.run()
        self._advance_to(self.clock.now_ms() + int(seconds * 1000))
        assert not self.looks_queue.messages, "the looks are awake"
