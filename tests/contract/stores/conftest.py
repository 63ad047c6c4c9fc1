"""Fixtures of the stores' suites: each fake, and its DynamoDB twin on the tables of the deployed template.

Creating a client takes longer than a test, so a module shares the stores, and every test gets new tables.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from chalicelib.ports.event_waits import WaitCounts
from chalicelib.ports.fan_out import SubscriberGroups
from chalicelib.ports.looks import LookCover
from chalicelib.ports.market import MarketStore
from chalicelib.ports.order_index import OrderIndex
from chalicelib.ports.orders import OpenOrderIndex, OrderStore
from chalicelib.ports.rate_limit import RateLimitSlots, RequestPermits
from chalicelib.ports.socket_limits import SocketUse, UserSockets
from chalicelib.ports.streams import StreamStore
from chalicelib.ports.tickets import TicketStore
from chalicelib.ports.venues import Ledger
from chalicelib.stores.api_keys import DynamoApiKeys
from chalicelib.stores.connection import SharedConnection
from chalicelib.stores.ledger import DynamoLedger
from chalicelib.stores.look_cover import DynamoLookCover
from chalicelib.stores.markets import DynamoMarketStore
from chalicelib.stores.open_orders import DynamoOpenOrderIndex
from chalicelib.stores.order_index import DynamoOrderIndex
from chalicelib.stores.orders import DynamoOrderStore
from chalicelib.stores.rate_limit import DynamoRateLimitSlots
from chalicelib.stores.request_permits import DynamoRequestPermits
from chalicelib.stores.socket_limits import DynamoSocketUse, DynamoUserSockets
from chalicelib.stores.streams import DynamoStreamStore
from chalicelib.stores.subscriber_groups import DynamoSubscriberGroups
from chalicelib.stores.tickets import DynamoTicketStore
from chalicelib.stores.wait_counts import DynamoWaitCounts
from orderengine.testing.fakes.clock import FakeClock
from orderengine.testing.fakes.fan_out import FakeSubscriberGroups
from orderengine.testing.fakes.ledger import FakeLedger
from orderengine.testing.fakes.look_cover import FakeLookCover
from orderengine.testing.fakes.markets import FakeMarketStore
from orderengine.testing.fakes.open_orders import FakeOpenOrderIndex
from orderengine.testing.fakes.order_index import FakeOrderIndex
from orderengine.testing.fakes.orders import FakeOrderStore
from orderengine.testing.fakes.rate_limit import FakeRateLimitSlots, FakeRequestPermits, FakeWaitCounts
from orderengine.testing.fakes.socket_limits import FakeSocketUse, FakeTicketStore, FakeUserSockets
from orderengine.testing.fakes.streams import FakeStreamStore
from tests.contract.stores.aws import Aws, Wire, aws, resources, settings

TWINS = ["fake", "dynamodb"]
#: The rate limit of these suites.
SLOTS = 3


@dataclass
class DynamoStores:
    """The stores on moto, with the clock of the current test."""

    aws: Aws
    clock: FakeClock

    def __post_init__(self) -> None:
        connection = SharedConnection(settings())
        self.orders = DynamoOrderStore(connection, settings(), lambda: self.clock.now_ms())
        self.order_index = DynamoOrderIndex(connection, settings(), lambda: self.clock.now_ms())
        self.open_order_index = DynamoOpenOrderIndex(connection, settings())
        self.markets = DynamoMarketStore(connection, settings())
        self.look_cover = DynamoLookCover(connection, settings())
        self.streams = DynamoStreamStore(connection, settings())
        self.subscriber_groups = DynamoSubscriberGroups(connection, settings(), lambda: self.clock.now_ms())
        self.api_keys = DynamoApiKeys(connection, settings())
        self.socket_use = DynamoSocketUse(connection, settings())
        self.user_sockets = DynamoUserSockets(connection, settings())
        self.tickets = DynamoTicketStore(connection, settings())
        self.ledger = DynamoLedger(connection, settings())
        self.rate_limit_slots = DynamoRateLimitSlots(connection, replace(settings(), rate_limit_per_minute=SLOTS))
        self.request_permits = DynamoRequestPermits(connection, settings())
        self.wait_counts = DynamoWaitCounts(connection, settings())


@pytest.fixture(scope="module")
def module_stores() -> Iterator[DynamoStores]:
    with aws(resources()) as made:
        yield DynamoStores(made, FakeClock())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def dynamo(module_stores: DynamoStores, clock: FakeClock) -> DynamoStores:
    module_stores.clock = clock
    module_stores.aws.start_over()
    return module_stores


@pytest.fixture
def wire(dynamo: DynamoStores) -> Wire:
    return dynamo.aws.wire


@pytest.fixture
def dynamo_orders(dynamo: DynamoStores) -> DynamoOrderStore:
    return dynamo.orders


@pytest.fixture
def dynamo_ledger(dynamo: DynamoStores) -> DynamoLedger:
    return dynamo.ledger


@pytest.fixture
def dynamo_markets(dynamo: DynamoStores) -> DynamoMarketStore:
    return dynamo.markets


@pytest.fixture(params=TWINS)
def orders(request: pytest.FixtureRequest, clock: FakeClock) -> OrderStore:
    if request.param == "fake":
        return FakeOrderStore(clock.now_ms)
    stores: DynamoStores = request.getfixturevalue("dynamo")
    return stores.orders


@dataclass(frozen=True)
class SocketStores:
    """The stores that share the items of connections."""

    streams: StreamStore
    use: SocketUse


@pytest.fixture(params=TWINS)
def socket_stores(request: pytest.FixtureRequest) -> SocketStores:
    if request.param == "fake":
        fake = FakeStreamStore()
        return SocketStores(fake, FakeSocketUse(fake))
    stores: DynamoStores = request.getfixturevalue("dynamo")
    return SocketStores(stores.streams, stores.socket_use)


@pytest.fixture(params=TWINS)
def user_sockets(request: pytest.FixtureRequest) -> UserSockets:
    if request.param == "fake":
        return FakeUserSockets()
    stores: DynamoStores = request.getfixturevalue("dynamo")
    return stores.user_sockets


@pytest.fixture(params=TWINS)
def tickets(request: pytest.FixtureRequest) -> TicketStore:
    if request.param == "fake":
        return FakeTicketStore()
    stores: DynamoStores = request.getfixturevalue("dynamo")
    return stores.tickets


@pytest.fixture(params=TWINS)
def streams(request: pytest.FixtureRequest) -> StreamStore:
    if request.param == "fake":
        return FakeStreamStore()
    stores: DynamoStores = request.getfixturevalue("dynamo")
    return stores.streams


@pytest.fixture(params=TWINS)
def groups(request: pytest.FixtureRequest, clock: FakeClock) -> SubscriberGroups:
    if request.param == "fake":
        return FakeSubscriberGroups(clock.now_ms)
    stores: DynamoStores = request.getfixturevalue("dynamo")
    return stores.subscriber_groups


@pytest.fixture(params=TWINS)
def ledger(request: pytest.FixtureRequest) -> Ledger:
    if request.param == "fake":
        return FakeLedger()
    stores: DynamoStores = request.getfixturevalue("dynamo")
    return stores.ledger


@pytest.fixture(params=TWINS)
def slots(request: pytest.FixtureRequest) -> RateLimitSlots:
    if request.param == "fake":
        return FakeRateLimitSlots(SLOTS)
    stores: DynamoStores = request.getfixturevalue("dynamo")
    return stores.rate_limit_slots


@pytest.fixture(params=TWINS)
def permits(request: pytest.FixtureRequest) -> RequestPermits:
    if request.param == "fake":
        return FakeRequestPermits()
    stores: DynamoStores = request.getfixturevalue("dynamo")
    return stores.request_permits


@pytest.fixture(params=TWINS)
def wait_counts(request: pytest.FixtureRequest) -> WaitCounts:
    if request.param == "fake":
        return FakeWaitCounts()
    stores: DynamoStores = request.getfixturevalue("dynamo")
    return stores.wait_counts


@pytest.fixture
def index(request: pytest.FixtureRequest, orders: OrderStore) -> OpenOrderIndex:
    """The index of the open orders in ``orders``."""
    if isinstance(orders, FakeOrderStore):
        return FakeOpenOrderIndex(orders)
    stores: DynamoStores = request.getfixturevalue("dynamo")
    return stores.open_order_index


@pytest.fixture
def order_index(request: pytest.FixtureRequest, orders: OrderStore, clock: FakeClock) -> OrderIndex:
    """The indexes of the list of the orders in ``orders``."""
    if isinstance(orders, FakeOrderStore):
        return FakeOrderIndex(orders, clock.now_ms)
    stores: DynamoStores = request.getfixturevalue("dynamo")
    return stores.order_index


@pytest.fixture(params=TWINS)
def markets(request: pytest.FixtureRequest) -> MarketStore:
    if request.param == "fake":
        return FakeMarketStore()
    stores: DynamoStores = request.getfixturevalue("dynamo")
    return stores.markets


@pytest.fixture(params=TWINS)
def look_cover(request: pytest.FixtureRequest) -> LookCover:
    if request.param == "fake":
        return FakeLookCover()
    stores: DynamoStores = request.getfixturevalue("dynamo")
    return stores.look_cover
