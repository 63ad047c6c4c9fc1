"""The fakes of all ports, and the settings of an engine that is built on them."""

from dataclasses import dataclass, fields

from chalicelib.adapters import Adapters
from chalicelib.settings import Settings
from orderengine.testing.fakes.api_keys import FakeApiKeys
from orderengine.testing.fakes.clock import FakeClock
from orderengine.testing.fakes.fan_out import FakeFanOutQueue, FakeSubscriberGroups
from orderengine.testing.fakes.history import FakeHistory
from orderengine.testing.fakes.ledger import FakeLedger
from orderengine.testing.fakes.look_cover import FakeLookCover
from orderengine.testing.fakes.markets import FakeMarketStore
from orderengine.testing.fakes.open_orders import FakeOpenOrderIndex
from orderengine.testing.fakes.order_index import FakeOrderIndex
from orderengine.testing.fakes.orders import FakeOrderStore
from orderengine.testing.fakes.queue import FakeDeadLetterQueue, FakeHighPriorityQueue, FakeLookQueue, FakeOrderQueue
from orderengine.testing.fakes.rate_limit import FakeRateLimitSlots, FakeRequestPermits, FakeWaitCounts
from orderengine.testing.fakes.secrets import FakeSecrets
from orderengine.testing.fakes.socket_limits import FakeSocketUse, FakeTicketStore, FakeUserSockets
from orderengine.testing.fakes.streams import FakeReplayQueue, FakeSockets, FakeStreamStore
from orderengine.testing.fakes.verdicts import FakeVerdicts

#: Every setting that a deployment must have, and an engine without authentication and without a limit of its rate.
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
class Parts:
    """A clock that only its owner advances, and the fake of each port by the name that it has in ``Adapters``."""

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
    look_cover: FakeLookCover
    sockets: FakeSockets
    history: FakeHistory
    order_index: FakeOrderIndex
    open_order_index: FakeOpenOrderIndex
    markets: FakeMarketStore
    api_keys: FakeApiKeys
    rate_limit_slots: FakeRateLimitSlots
    request_permits: FakeRequestPermits
    wait_counts: FakeWaitCounts
    secrets: FakeSecrets
    verdicts: FakeVerdicts

    @property
    def adapters(self) -> Adapters:
        return Adapters(**{port.name: getattr(self, port.name) for port in fields(Adapters)})


def new_parts(settings: Settings, clock: FakeClock | None = None) -> Parts:
    """New and empty fakes."""
    clock = clock or FakeClock()
    streams, orders, high_priority = FakeStreamStore(), FakeOrderStore(clock.now_ms), FakeHighPriorityQueue()
    return Parts(
        clock=clock,
        orders=orders,
        streams=streams,
        ledger=FakeLedger(),
        order_queue=FakeOrderQueue(high_priority),
        high_priority_queue=high_priority,
        dead_letter_queue=FakeDeadLetterQueue(),
        replay_queue=FakeReplayQueue(),
        subscriber_groups=FakeSubscriberGroups(clock.now_ms),
        socket_use=FakeSocketUse(streams),
        user_sockets=FakeUserSockets(),
        tickets=FakeTicketStore(),
        fan_out_queue=FakeFanOutQueue(),
        look_queue=FakeLookQueue(),
        look_cover=FakeLookCover(),
        sockets=FakeSockets(),
        history=FakeHistory(clock.now),
        order_index=FakeOrderIndex(orders, clock.now_ms),
        open_order_index=FakeOpenOrderIndex(orders),
        markets=FakeMarketStore(),
        api_keys=FakeApiKeys(),
        rate_limit_slots=FakeRateLimitSlots(settings.rate_limit_per_minute),
        request_permits=FakeRequestPermits(),
        wait_counts=FakeWaitCounts(),
        secrets=FakeSecrets(),
        verdicts=FakeVerdicts(),
    )
