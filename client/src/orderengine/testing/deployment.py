"""A deployment of the engine without AWS: the real handlers and use cases on fakes and virtual queues.

A subclass decides how time passes: it delivers the messages, runs the looks, and lets invocations sleep.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any
from uuid import UUID

from chalicelib.bootstrap import build_engine
from chalicelib.consumers.fan_out import fan_out
from chalicelib.consumers.orders import close_dead_letters, process_orders
from chalicelib.consumers.streams import replay_streams
from chalicelib.domain.status import Status
from chalicelib.engine import Engine
from chalicelib.ports.orders import StoredOrder
from chalicelib.runtime import Runtime
from chalicelib.settings import Settings
from orderengine.testing.inline import InlineExecutor
from orderengine.testing.parts import Parts
from orderengine.testing.queues import DeadLetterPort, FanOutPort, HighPriorityPort, OrderPort, Queue, ReplayPort

#: The visibility timeout of the queues whose messages invoke functions.
VISIBILITY_SECONDS = 16

#: Handles the event of a queue, and returns which of its messages failed.
Handler = Callable[[Engine, Mapping[str, Any]], Mapping[str, Any]]


class Deployment:
    """``parts`` keep the state, so a new engine on them goes on where a dead one stopped.

    ``random`` decides whatever is left to chance. ``ports`` take the places of some fakes.
    """

    def __init__(self, settings: Settings, parts: Parts, random: Random, **ports: Any) -> None:
        self.settings, self.random = settings, random
        self.clock = parts.clock
        self.orders, self.ledger, self.history = parts.orders, parts.ledger, parts.history
        self.streams, self.markets = parts.streams, parts.markets
        now_ms = self.clock.now_ms
        self.unprocessable = Queue("kept", now_ms, visibility_seconds=30)
        self.dead_letters = Queue("dead", now_ms, visibility_seconds=VISIBILITY_SECONDS)
        self.queue = Queue(
            "orders", now_ms, visibility_seconds=VISIBILITY_SECONDS, max_receives=5, dead_letters=self.dead_letters
        )
        self.high_priority = Queue(
            "high_priority", now_ms, visibility_seconds=15, max_receives=5, dead_letters=self.dead_letters
        )
        self.replay_queue = Queue("stream", now_ms, visibility_seconds=VISIBILITY_SECONDS, max_receives=10)
        self.fan_out_queue = Queue("fan-out", now_ms, visibility_seconds=VISIBILITY_SECONDS, max_receives=10)
        self.handlers: list[tuple[Queue, Handler]] = [
            (self.queue, process_orders),
            (self.dead_letters, close_dead_letters),
            (self.replay_queue, replay_streams),
            (self.fan_out_queue, fan_out),
        ]
        queues: dict[str, Any] = {
            "order_queue": OrderPort(self.queue, self.high_priority),
            "high_priority_queue": HighPriorityPort(self.high_priority),
            "dead_letter_queue": DeadLetterPort(self.dead_letters, self.unprocessable),
            "replay_queue": ReplayPort(self.replay_queue),
            "fan_out_queue": FanOutPort(self.fan_out_queue),
        }
        self.adapters = replace(parts.adapters, **queues, **ports)
        self.engine = self.new_engine()

    def new_engine(self) -> Engine:
        """An engine without a memory, as a process that starts has it."""
        return build_engine(self.settings, self.adapters, self._runtime())

    def _runtime(self) -> Runtime:
        return Runtime(
            now=self.clock.now,
            sleep=self.sleep,
            monotonic=lambda: self.clock.now_ms() / 1000,
            # Threads would make the order of calls random.
            threads=InlineExecutor,
            new_id=lambda: str(UUID(int=self.random.getrandbits(128), version=4)),
            uniform=self.random.uniform,
        )

    def sleep(self, seconds: float) -> None:
        """Let an invocation of the engine wait."""
        self.clock.sleep(seconds)

    def all_orders(self) -> Mapping[str, StoredOrder]:
        return self.orders._kept  # the order store has no method that lists all orders

    def awaits_the_market(self) -> bool:
        """Return whether the market watcher has something to look for."""
        statuses = {stored.order.status for stored in self.all_orders().values()}
        return Status.OPEN in statuses or bool(self.markets.pending_launches())
