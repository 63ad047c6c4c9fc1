"""The whole engine on a virtual clock: the use cases are real, the adapters are fakes in memory."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from chalicelib.adapters import Adapters
from chalicelib.bootstrap import build_engine
from chalicelib.domain.orders import Order
from chalicelib.engine import Engine
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.streams import NotifyFollowers, Subscriber
from chalicelib.services.streams.order_stream import OrderStream
from chalicelib.settings import Settings
from tests.fakes.api_keys import FakeApiKeys
from tests.fakes.clock import FakeClock
from tests.fakes.fan_out import FakeFanOutQueue, FakeSubscriberGroups
from tests.fakes.history import FakeHistory
from tests.fakes.ledger import FakeLedger
from tests.fakes.markets import FakeMarketStore
from tests.fakes.open_orders import FakeOpenOrderIndex
from tests.fakes.order_index import FakeOrderIndex
from tests.fakes.orders import FakeOrderStore
from tests.fakes.queue import FakeDeadLetterQueue, FakeHighPriorityQueue, FakeLookQueue, FakeOrderQueue
from tests.fakes.rate_limit import FakeRateLimitSlots, FakeRequestPermits
from tests.fakes.secrets import FakeSecrets
from tests.fakes.socket_limits import FakeSocketUse, FakeTicketStore, FakeUserSockets
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
    api_keys_table="api-keys",
    orders_queue_url="orders",
    high_priority_queue_url="high_priority",
    dead_letters_queue_url="dead-letters",
    unprocessable_queue_url="kept-letters",
    replay_queue_url="stream",
    fan_out_queue_url="fan-out",
    looks_queue_url="looks",
    websocket_endpoint="http://localhost",
    public_ws_url="ws://localhost/ws",
    database_secret="DatabaseSecret",
    auth_secret="auth",
    stage="local",
    auth=False,
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
    subscriber_groups: FakeSubscriberGroups
    socket_use: FakeSocketUse
    user_sockets: FakeUserSockets
    tickets: FakeTicketStore
    fan_out_queue: FakeFanOutQueue
    look_queue: FakeLookQueue
    sockets: FakeSockets
    history: FakeHistory
    order_index: FakeOrderIndex
    open_order_index: FakeOpenOrderIndex
    markets: FakeMarketStore
    api_keys: FakeApiKeys
    request_permits: FakeRequestPermits
    secrets: FakeSecrets

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
    clock, streams = FakeClock(), FakeStreamStore()
    settings = replace(SETTINGS, **{"venue_time_scale": Decimal(0), **changes})
    high_priority = FakeHighPriorityQueue()
    orders = FakeOrderStore(clock.now_ms)
    adapters = Adapters(
        orders=orders,
        streams=streams,
        socket_use=FakeSocketUse(streams),
        user_sockets=FakeUserSockets(),
        tickets=FakeTicketStore(),
        subscriber_groups=FakeSubscriberGroups(clock.now_ms),
        fan_out_queue=FakeFanOutQueue(),
        rate_limit_slots=FakeRateLimitSlots(settings.rate_limit_per_minute),
        request_permits=FakeRequestPermits(),
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
        api_keys=FakeApiKeys(),
        secrets=FakeSecrets(),
    )
    parts = {name: getattr(adapters, name) for name in Workbench.__annotations__ if name in Adapters.__annotations__}
    engine = build_engine(settings, adapters, clock.now, clock.sleep, authenticator)
    return Workbench(engine, adapters, clock, **parts)
