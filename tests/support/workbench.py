"""The whole engine on a virtual clock: the use cases are real, the adapters are fakes in memory."""

from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from chalicelib.bootstrap import build_engine
from chalicelib.domain.orders import Order
from chalicelib.engine import Engine
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.streams import NotifyFollowers, Subscriber
from chalicelib.runtime import Runtime
from chalicelib.services.streams.order_stream import OrderStream
from orderengine.testing.parts import SETTINGS, Parts, new_parts
from tests.support.callers import ANYONE
from tests.support.specs import a_spec


@dataclass(frozen=True)
class Workbench(Parts):
    """An engine, with its fake adapters for inspection."""

    engine: Engine

    def submit(self, subscriber: Subscriber | None = None, **changes: Any) -> str:
        """Accept an order and return its id."""
        return self.engine.submit(ANYONE, a_spec(**changes), subscriber=subscriber).order_id

    def process(self, owner: str = "worker") -> float | None:
        """Process the oldest message of the queue; a message that fails returns to the queue."""
        body = self.order_queue.bodies[0]
        again = self.engine.execute(self.order_queue.take(), owner, lambda seconds: None)
        if again is not None:
            self.order_queue.bodies.append(body)
        return again

    def lease(self, owner: str) -> StoredOrder | None:
        """Lease the order of the oldest message, as a worker that dies right after that."""
        execute = self.engine.execute
        stream = OrderStream(execute.publisher, execute.executor)
        stored = execute.lease(self.order_queue.take(), owner, stream)
        stream.wait()
        return stored

    def process_all(self) -> None:
        """Process messages until the queue is empty; the clock advances past every backoff."""
        while self.order_queue.bodies:
            again = self.process()
            if again is not None:
                self.clock.sleep(again)

    def notify_followers(self) -> None:
        """Subscribe the followers of the orders that await them, as the replay queue does."""
        sent, self.replay_queue.sent = self.replay_queue.sent, []
        for replay, delay_seconds in sent:
            if isinstance(replay, NotifyFollowers):
                self.engine.subscriptions.subscribe_followers(replay.order_id)
            else:
                self.replay_queue.sent.append((replay, delay_seconds))

    def serve_groups(self) -> None:
        """Serve the groups of subscribers until none lacks an event, as the fan-out queue does."""
        while self.fan_out_queue.sent:
            message = self.fan_out_queue.sent.pop(0)
            self.engine.serve_group(message.order_id, message.number, owner="fan-out")

    def order(self, order_id: str) -> Order:
        stored = self.orders.get(order_id)
        assert stored is not None
        return stored.order

    def statuses(self, order_id: str) -> list[str]:
        return [event.status.value for event in self.order(order_id).events]


def a_workbench(authenticator: Any = None, **changes: Any) -> Workbench:
    """An engine on new fakes; ``changes`` replace settings. It has no authentication unless it gets it."""
    settings = replace(SETTINGS, **{"venue_time_scale": Decimal(0), **changes})
    parts = new_parts(settings)
    engine = build_engine(settings, parts.adapters, Runtime(parts.clock.now, parts.clock.sleep), authenticator)
    return Workbench(engine=engine, **{part.name: getattr(parts, part.name) for part in fields(parts)})
