"""The whole engine on fakes and a virtual clock: the services are real, the outside is in memory."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from chalicelib.bootstrap import Engine, Outside, build_engine
from chalicelib.domain.orders import Order
from chalicelib.ports import Subscriber
from chalicelib.settings import Settings
from tests.fakes.clock import FakeClock
from tests.fakes.history import FakeHistory
from tests.fakes.ledger import FakeLedger
from tests.fakes.markets import FakeMarkets
from tests.fakes.orders import FakeOrderStore
from tests.fakes.queue import FakeLetterQueue, FakeOrderQueue, FakeUrgentQueue
from tests.fakes.starts import FakeStartSlots
from tests.fakes.streams import FakeReplayQueue, FakeSockets, FakeStreamStore
from tests.fakes.waiting import FakeWaitingOrders
from tests.support.orders import a_spec

SETTINGS = Settings(
    orders_table="orders",
    streams_table="streams",
    ledger_table="ledger",
    idempotency_table="idempotency",
    starts_table="starts",
    market_table="market",
    orders_queue_url="orders",
    urgent_queue_url="urgent",
    dead_letters_queue_url="dead-letters",
    kept_letters_queue_url="kept-letters",
    stream_queue_url="stream",
    websocket_endpoint="http://localhost",
    public_ws_url="ws://localhost/ws",
    database_url="",
    venue_seed="bench",
    simulation=True,
    rate_limit_per_minute=0,
)


@dataclass(frozen=True)
class Bench:
    """An engine and every part of its outside, to look into."""

    engine: Engine
    clock: FakeClock
    orders: FakeOrderStore
    streams: FakeStreamStore
    ledger: FakeLedger
    queue: FakeOrderQueue
    urgent: FakeUrgentQueue
    dead_letters: FakeLetterQueue
    replays: FakeReplayQueue
    sockets: FakeSockets
    history: FakeHistory
    waiting: FakeWaitingOrders
    markets: FakeMarkets

    def submit(self, subscriber: Subscriber | None = None, **changes: Any) -> str:
        """Accept an order; returns its id."""
        return self.engine.submit(a_spec(**changes), subscriber=subscriber).order_id

    def process(self, owner: str = "worker") -> float | None:
        """Take one message from the queue and work on it; a message to be delivered again goes back."""
        body = self.queue.bodies[0]
        again = self.engine.execute(self.queue.take(), owner, lambda seconds: None)
        if again is not None:
            self.queue.bodies.append(body)
        return again

    def process_all(self) -> None:
        """Work until the queue is empty, waiting out every backoff."""
        while self.queue.bodies:
            again = self.process()
            if again is not None:
                self.clock.sleep(again)

    def order(self, order_id: str) -> Order:
        tracked = self.orders.get(order_id)
        assert tracked is not None
        return tracked.order

    def statuses(self, order_id: str) -> list[str]:
        return [event.status.value for event in self.order(order_id).events]


def a_bench(**changes: Any) -> Bench:
    """An engine on fresh fakes; ``changes`` are settings."""
    clock = FakeClock()
    settings = replace(SETTINGS, **{"venue_time_scale": Decimal(0), **changes})
    urgent = FakeUrgentQueue()
    orders = FakeOrderStore(clock.now_ms)
    outside = Outside(
        orders=orders,
        streams=FakeStreamStore(),
        starts=FakeStartSlots(settings.rate_limit_per_minute),
        ledger=FakeLedger(),
        queue=FakeOrderQueue(urgent),
        urgent=urgent,
        dead_letters=FakeLetterQueue(),
        replays=FakeReplayQueue(),
        sockets=FakeSockets(),
        history=FakeHistory(),
        waiting=FakeWaitingOrders(orders),
        markets=FakeMarkets(),
    )
    parts = {name: getattr(outside, name) for name in Bench.__annotations__ if name in Outside.__annotations__}
    return Bench(build_engine(settings, outside, clock.now, clock.sleep), clock, **parts)
