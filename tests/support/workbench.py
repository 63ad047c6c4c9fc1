"""The whole engine on a virtual clock: the use cases are real, the adapters are fakes in memory."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from chalicelib.adapters import Adapters
from chalicelib.bootstrap import build_engine
from chalicelib.domain.orders import Order
from chalicelib.engine import Engine
from chalicelib.ports.streams import Subscriber
from chalicelib.settings import Settings
from tests.fakes.clock import FakeClock
from tests.fakes.history import FakeHistory
from tests.fakes.ledger import FakeLedger
from tests.fakes.markets import FakeMarketStore
from tests.fakes.open_orders import FakeOpenOrderIndex
from tests.fakes.order_index import FakeOrderIndex
from tests.fakes.orders import FakeOrderStore
from tests.fakes.queue import FakeDeadLetterQueue, FakeHighPriorityQueue, FakeLookQueue, FakeOrderQueue
from tests.fakes.rate_limit import FakeRateLimitSlots
from tests.fakes.streams import FakeReplayQueue, FakeSockets, FakeStreamStore
from tests.support.callers import ANYONE
from tests.support.specs import a_spec

SETTINGS = Settings(
    orders_table="orders",
    streams_table="streams",
    ledger_table="ledger",
    idempotency_table="idempotency",
    rate_limit_table="starts",
    market_table="market",
    orders_queue_url="orders",
    high_priority_queue_url="high_priority",
    dead_letters_queue_url="dead-letters",
    unprocessable_queue_url="kept-letters",
    replay_queue_url="stream",
    looks_queue_url="looks",
    websocket_endpoint="http://localhost",
    public_ws_url="ws://localhost/ws",
    database_url="",
    venue_seed="bench",
    simulation=True,
    rate_limit_per_minute=0,
)


@dataclass(frozen=True)
class Workbench:
    """An engine, with its fake adapters for inspection."""

    engine: Engine
    adapters: Adapters
    clock: FakeClock
    orders: FakeOrderStore
    streams: FakeStreamStore
    ledger: FakeLedger
    order_queue: FakeOrderQueue
    high_priority_queue: FakeHighPriorityQueue
    dead_letter_queue: FakeDeadLetterQueue
    replay_queue: FakeReplayQueue
    look_queue: FakeLookQueue
    sockets: FakeSockets
    history: FakeHistory
    order_index: FakeOrderIndex
    open_order_index: FakeOpenOrderIndex
    markets: FakeMarketStore

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

    def process_all(self) -> None:
        """Process messages until the queue is empty; the clock advances past every backoff."""
        while self.order_queue.bodies:
            again = self.process()
            if again is not None:
                self.clock.sleep(again)

    def order(self, order_id: str) -> Order:
        stored = self.orders.get(order_id)
        assert stored is not None
        return stored.order

    def statuses(self, order_id: str) -> list[str]:
        return [event.status.value for event in self.order(order_id).events]


def a_workbench(**changes: Any) -> Workbench:
    """An engine on new fakes; ``changes`` replace settings."""
    clock = FakeClock()
    settings = replace(SETTINGS, **{"venue_time_scale": Decimal(0), **changes})
    high_priority = FakeHighPriorityQueue()
    orders = FakeOrderStore(clock.now_ms)
    adapters = Adapters(
        orders=orders,
        streams=FakeStreamStore(),
        rate_limit_slots=FakeRateLimitSlots(settings.rate_limit_per_minute),
        ledger=FakeLedger(),
        order_queue=FakeOrderQueue(high_priority),
        high_priority_queue=high_priority,
        dead_letter_queue=FakeDeadLetterQueue(),
        replay_queue=FakeReplayQueue(),
        look_queue=FakeLookQueue(),
        sockets=FakeSockets(),
        history=FakeHistory(clock.now),
        order_index=FakeOrderIndex(orders, clock.now_ms),
        open_order_index=FakeOpenOrderIndex(orders),
        markets=FakeMarketStore(),
    )
    parts = {name: getattr(adapters, name) for name in Workbench.__annotations__ if name in Adapters.__annotations__}
    return Workbench(build_engine(settings, adapters, clock.now, clock.sleep), adapters, clock, **parts)
