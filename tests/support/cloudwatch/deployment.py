"""A deployment in virtual time whose functions, queues and front door AWS would measure, and whose parts can fail."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from random import Random
from typing import Any

from chalicelib.adapters import Adapters
from chalicelib.codec.looks import look_message
from chalicelib.consumers.looks import run_looks
from chalicelib.engine import Engine
from chalicelib.ports.queues import LooksOfMinute
from chalicelib.settings import Settings
from orderengine.testing.concurrent import ConcurrentDeployment
from orderengine.testing.deployment import VISIBILITY_SECONDS, Handler
from orderengine.testing.parts import Parts
from orderengine.testing.queues import LookPort, Queue
from orderengine.testing.sockets import VirtualSockets
from tests.support.cloudwatch.datapoints import Datapoints

#: The retention of the looks queue in the template.
_LOOK_RETENTION_MS = 240_000
#: The queues of the kit by the names of the template, with the function that each invokes.
_FUNCTIONS = {
    "orders": "ProcessOrders",
    "dead": "CloseDeadLetters",
    "stream": "ReplayStreams",
    "fan-out": "FanOut",
    "looks": "RunLooks",
}


class FunctionError(Exception):
    """Lambda ended or refused the invocation."""


class _Breakable:
    """A port whose methods do what ``faults`` says before they do their work."""

    def __init__(self, port: Any, name: str, faults: Mapping[str, Callable[[], None]]) -> None:
        self._port, self._name, self._faults = port, name, faults

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            for key in (self._name, f"{self._name}.{name}"):
                self._faults.get(key, lambda: None)()
            return found(*args, **kwargs)

        return call


class WatchedDeployment(ConcurrentDeployment):
    """``crashing`` and ``throttled`` name functions, and ``stopped`` those whose event source mapping is disabled.

    ``faults_of_ports`` have what a port does before each call, by ``port`` or ``port.method``.
    """

    def __init__(self, settings: Settings, parts: Parts, random: Random) -> None:
        self.datapoints = Datapoints(parts.clock.now_ms)
        self.crashing: set[str] = set()
        self.throttled: set[str] = set()
        self.stopped: set[str] = set()
        self.faults_of_ports: dict[str, Callable[[], None]] = {}
        super().__init__(settings, parts, random, VirtualSockets(parts.clock.now_ms))
        now_ms = parts.clock.now_ms
        self.looks = Queue("looks", now_ms, visibility_seconds=VISIBILITY_SECONDS)
        self.replay_dead_letters = Queue("replay-dead", now_ms, visibility_seconds=VISIBILITY_SECONDS)
        self.fan_out_dead_letters = Queue("fan-out-dead", now_ms, visibility_seconds=VISIBILITY_SECONDS)
        self.replay_queue._dead_letters = self.replay_dead_letters
        self.fan_out_queue._dead_letters = self.fan_out_dead_letters
        self.all_handlers = [
            (of, self._measured(of.name, by)) for of, by in [*self.handlers, (self.looks, _run_look)]
        ]
        ports = {port.name: getattr(self.adapters, port.name) for port in fields(Adapters)}
        ports["look_queue"] = LookPort(self.looks)
        breakable: Any = {name: _Breakable(port, name, self.faults_of_ports) for name, port in ports.items()}
        self.adapters = Adapters(**breakable)
        self.engine = self.new_engine()
        self.handlers = self.all_handlers

    # --- functions ----------------------------------------------------------------------------------------

    def run_function(self, name: str, work: Callable[[], Any]) -> Any:
        """Run an invocation of a function, which Lambda measures.

        :raises FunctionError: if Lambda refuses or ends it.
        """
        count = partial(self._count, "AWS/Lambda", FunctionName=name)
        if name in self.throttled:
            count("Throttles", 1)
            raise FunctionError(f"{name} is throttled")
        count("Throttles", 0)
        count("Invocations", 1)
        is_error = True
        try:
            if name in self.crashing:
                raise FunctionError(f"{name} ran out of memory")
            result = work()
            is_error = False
        finally:
            count("Errors", int(is_error))
        return result

    def _measured(self, queue: str, handler: Handler) -> Handler:
        def invoke(engine: Engine, event: Mapping[str, Any]) -> Any:
            return self.run_function(_FUNCTIONS[queue], lambda: handler(engine, event))

        return invoke

    def _deliver_visible(self) -> bool:
        self.handlers = [one for one in self.all_handlers if _FUNCTIONS[one[0].name] not in self.stopped]
        return super()._deliver_visible()

    # --- looks, which here come from the queue ------------------------------------------------------------

    def _look_time(self) -> float:
        return float("inf")

    def ask_for_looks(self) -> None:
        """Do what EventBridge does every minute."""
        self.looks.put(look_message(LooksOfMinute()))

    # --- queues -------------------------------------------------------------------------------------------

    def measure_queues(self) -> None:
        """Count what SQS counts of each queue at a moment."""
        now_ms = self.clock.now_ms()
        for old in [one for one in self.looks.messages.values() if one.sent_at_ms + _LOOK_RETENTION_MS < now_ms]:
            self.looks.delete(old)
        for name, queue in self._queues().items():
            # Looking at the messages also moves those with too many receives.
            visible = len(queue.visible())
            count = partial(self._count, "AWS/SQS", QueueName=name)
            count("ApproximateNumberOfMessagesVisible", visible)
            count("ApproximateNumberOfMessagesNotVisible", len(queue.messages) - visible)
            # SQS leaves a message out that was received three times.
            sent = [message.sent_at_ms for message in queue.messages.values() if message.receives < 3]
            count("ApproximateAgeOfOldestMessage", (now_ms - min(sent, default=now_ms)) / 1000)

    def _queues(self) -> dict[str, Queue]:
        return {
            "OrdersQueue": self.queue,
            "DeadLettersQueue": self.dead_letters,
            "UnprocessableQueue": self.unprocessable,
            "ReplayDeadLettersQueue": self.replay_dead_letters,
            "FanOutDeadLettersQueue": self.fan_out_dead_letters,
        }

    def _count(self, namespace: str, metric: str, value: float, **dimensions: str) -> None:
        self.datapoints.add(namespace, metric, value, dimensions)


def _run_look(engine: Engine, event: Mapping[str, Any]) -> Mapping[str, Any]:
    run_looks(engine, event)
    return {"batchItemFailures": []}
