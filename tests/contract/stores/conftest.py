"""What the stores' suites run on: each fake, and its DynamoDB twin on the deployed template's tables.

A client takes longer to make than a test to run, so the stores live as long as a module, and their tables are
made anew for every test.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from chalicelib.ports.market import MarketStore
from chalicelib.ports.orders import OpenOrderIndex, OrderStore
from chalicelib.ports.rate_limit import RateLimitSlots
from chalicelib.ports.streams import StreamStore
from chalicelib.ports.venues import Ledger
from chalicelib.stores.connection import SharedConnection
from chalicelib.stores.ledger import DynamoLedger
from chalicelib.stores.markets import DynamoMarketStore
from chalicelib.stores.open_orders import DynamoOpenOrderIndex
from chalicelib.stores.orders import DynamoOrderStore
from chalicelib.stores.rate_limit import DynamoRateLimitSlots
from chalicelib.stores.streams import DynamoStreamStore
from tests.contract.stores.aws import Aws, Wire, aws, resources, settings
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import FakeLedger
from tests.fakes.markets import FakeMarketStore
from tests.fakes.open_orders import FakeOpenOrderIndex
from tests.fakes.orders import FakeOrderStore
from tests.fakes.rate_limit import FakeRateLimitSlots
from tests.fakes.streams import FakeStreamStore

TWINS = ["fake", "dynamodb"]
#: So many starts a minute.
SLOTS = 3


@dataclass
class DynamoStores:
    """The stores on moto, by the clock of the test that runs."""

    aws: Aws
    clock: FakeClock

    def __post_init__(self) -> None:
        connection = SharedConnection(settings())
        self.orders = DynamoOrderStore(connection, settings(), lambda: self.clock.now_ms())
        self.waiting = DynamoOpenOrderIndex(connection, settings())
        self.markets = DynamoMarketStore(connection, settings())
        self.streams = DynamoStreamStore(connection, settings())
        self.ledger = DynamoLedger(connection, settings())
        self.starts = DynamoRateLimitSlots(connection, replace(settings(), rate_limit_per_minute=SLOTS))


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


@pytest.fixture(params=TWINS)
def orders(request: pytest.FixtureRequest, clock: FakeClock) -> OrderStore:
    return FakeOrderStore(clock.now_ms) if request.param == "fake" else request.getfixturevalue("dynamo").orders


@pytest.fixture(params=TWINS)
def streams(request: pytest.FixtureRequest) -> StreamStore:
    return FakeStreamStore() if request.param == "fake" else request.getfixturevalue("dynamo").streams


@pytest.fixture(params=TWINS)
def ledger(request: pytest.FixtureRequest) -> Ledger:
    return FakeLedger() if request.param == "fake" else request.getfixturevalue("dynamo").ledger


@pytest.fixture(params=TWINS)
def starts(request: pytest.FixtureRequest) -> RateLimitSlots:
    return FakeRateLimitSlots(SLOTS) if request.param == "fake" else request.getfixturevalue("dynamo").starts


@pytest.fixture
def waiting(request: pytest.FixtureRequest, orders: OrderStore) -> OpenOrderIndex:
    """The open ones of ``orders``."""
    if isinstance(orders, FakeOrderStore):
        return FakeOpenOrderIndex(orders)
    return request.getfixturevalue("dynamo").waiting


@pytest.fixture(params=TWINS)
def markets(request: pytest.FixtureRequest) -> MarketStore:
    return FakeMarketStore() if request.param == "fake" else request.getfixturevalue("dynamo").markets
