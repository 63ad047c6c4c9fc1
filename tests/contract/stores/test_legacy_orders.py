"""The engine takes over a table of the stored form of version 1 and brings every order to its end."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from chalicelib.adapters import Adapters
from chalicelib.bootstrap import build_engine
from chalicelib.domain.errors import IdempotencyConflictError
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.engine import Engine
from chalicelib.runtime import Runtime
from orderengine.testing.fakes.api_keys import FakeApiKeys
from orderengine.testing.fakes.clock import FakeClock
from orderengine.testing.fakes.fan_out import FakeFanOutQueue
from orderengine.testing.fakes.history import FakeHistory
from orderengine.testing.fakes.queue import FakeDeadLetterQueue, FakeHighPriorityQueue, FakeLookQueue, FakeOrderQueue
from orderengine.testing.fakes.secrets import FakeSecrets
from orderengine.testing.fakes.streams import FakeReplayQueue, FakeSockets
from orderengine.testing.fakes.verdicts import FakeVerdicts
from orderengine.testing.parts import SETTINGS
from tests.contract.stores.conftest import SLOTS, DynamoStores
from tests.contract.stores.legacy_items import legacy_order, legacy_tables, put, put_orders
from tests.support.callers import ANYONE
from tests.support.open_orders import SOL_USDC

#: After the last write to the items, and after the expiry of every lease.
LATER = datetime(2026, 1, 1, 13, 0, tzinfo=UTC)
#: Two days later: amended limit orders have expired.
MUCH_LATER_SECONDS = 3 * 86_400


class Upgraded:
    """The engine on the tables of version 1, with queues and history in memory."""

    def __init__(self, stores: DynamoStores) -> None:
        high_priority = FakeHighPriorityQueue()
        self.clock = stores.clock
        self.history = FakeHistory()
        self.queue = FakeOrderQueue(high_priority)
        self.orders = stores.orders
        self.ledger = stores.ledger
        adapters = Adapters(
            orders=stores.orders,
            order_index=stores.order_index,
            open_order_index=stores.open_order_index,
            streams=stores.streams,
            subscriber_groups=stores.subscriber_groups,
            socket_use=stores.socket_use,
            user_sockets=stores.user_sockets,
            tickets=stores.tickets,
            rate_limit_slots=stores.rate_limit_slots,
            request_permits=stores.request_permits,
            wait_counts=stores.wait_counts,
            ledger=stores.ledger,
            order_queue=self.queue,
            look_cover=stores.look_cover,
            high_priority_queue=high_priority,
            dead_letter_queue=FakeDeadLetterQueue(),
            replay_queue=FakeReplayQueue(),
            fan_out_queue=FakeFanOutQueue(),
            look_queue=FakeLookQueue(),
            sockets=FakeSockets(),
            history=self.history,
            markets=stores.markets,
            api_keys=FakeApiKeys(),
            secrets=FakeSecrets(),
            verdicts=FakeVerdicts(),
        )
        settings = replace(SETTINGS, venue_time_scale=Decimal(0), rate_limit_per_minute=SLOTS)
        self.engine: Engine = build_engine(settings, adapters, Runtime(self.clock.now, self.clock.sleep))

    def run(self) -> None:
        """Run the watchdog and the market watcher, and process the queue until it is empty."""
        self.engine.watchdog()
        self.engine.market.look()
        while self.queue.bodies:
            body = self.queue.bodies[0]
            again = self.engine.execute(self.queue.take(), "worker", lambda seconds: None)
            if again is not None:
                self.queue.bodies.append(body)
                self.clock.sleep(again)

    def order(self, order_id: str) -> Order:
        found = self.orders.get(order_id)
        assert found is not None
        return found.order


@pytest.fixture
def clock() -> FakeClock:
    clock = FakeClock()
    clock.sleep((LATER - clock.now()).total_seconds())
    return clock


@pytest.fixture
def upgraded(dynamo: DynamoStores) -> Upgraded:
    for table, items in legacy_tables().items():
        put(dynamo.aws, table, *items)
    return Upgraded(dynamo)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("market_pending", Status.CONFIRMED),
        ("market_submitted", Status.CONFIRMED),
        ("market_retrying", Status.CONFIRMED),
        ("market_high_priority", Status.CONFIRMED),
        ("limit_triggered", Status.CONFIRMED),
        # The pushed price of 251 crosses the limits of the sells.
        ("limit_open", Status.CONFIRMED),
        ("limit_amended", Status.CONFIRMED),
        ("limit_missed", Status.CONFIRMED),
        ("limit_open_buy", Status.EXPIRED),
        # A pending launch on Raydium meets the filters.
        ("sniper_open", Status.CONFIRMED),
        ("sniper_refused", Status.CONFIRMED),
        ("sniper_triggered", Status.CONFIRMED),
        ("sniper_open_any_venue", Status.OPEN),
    ],
)
def test_the_engine_finishes_a_legacy_order(
    dynamo: DynamoStores, upgraded: Upgraded, name: str, status: Status
) -> None:
    [legacy] = put_orders(dynamo.aws, name)
    before = upgraded.order(legacy.order_id)
    for _ in range(3):
        upgraded.run()
        upgraded.clock.sleep(60)
    order = upgraded.order(legacy.order_id)
    assert order.status is status
    assert order.events[: before.seq] == before.events
    if order.is_terminal:
        found = upgraded.orders.get(legacy.order_id)
        assert found is not None
        assert (found.lease, found.deadline_ms) == (None, None)
        assert list(upgraded.history.events[legacy.order_id].values()) == list(order.events)
    if status is Status.CONFIRMED:
        fill = upgraded.ledger.settle(order.tx_hash or "", order.order_id, upgraded.clock.now_ms())
        assert fill is not None
        assert fill.amount_out == order.amount_out


def test_the_engine_records_legacy_orders_that_the_history_lacks(dynamo: DynamoStores, upgraded: Upgraded) -> None:
    legacy = put_orders(dynamo.aws, "market_unrecorded", "limit_cancelled")
    upgraded.run()
    assert {order.order_id for order in legacy} == set(upgraded.history.events)
    assert upgraded.orders.history_lag(10).orders == 0


@pytest.mark.parametrize("name", ["market_pending", "limit_open", "limit_missed", "sniper_refused"])
def test_a_client_cancels_a_legacy_order(dynamo: DynamoStores, upgraded: Upgraded, name: str) -> None:
    [legacy] = put_orders(dynamo.aws, name)
    assert upgraded.engine.cancel(ANYONE, legacy.order_id).status is Status.CANCELLED
    assert upgraded.order(legacy.order_id).status is Status.CANCELLED
    assert upgraded.orders.unfinished_of("alice") == []


def test_a_pushed_price_triggers_a_legacy_order(dynamo: DynamoStores, upgraded: Upgraded) -> None:
    [legacy] = put_orders(dynamo.aws, "limit_open")
    assert upgraded.engine.market.push_price(ANYONE, SOL_USDC, Decimal(100)) == 0
    assert upgraded.engine.market.push_price(ANYONE, SOL_USDC, Decimal(200)) == 1
    assert upgraded.order(legacy.order_id).status is Status.TRIGGERED


def test_a_repeated_request_gets_its_legacy_order(dynamo: DynamoStores, upgraded: Upgraded) -> None:
    """The hash of a body comes from its specification, whose form must not change while keys live."""
    for name in ("market_pending", "limit_open"):
        [legacy] = put_orders(dynamo.aws, name)
        spec = upgraded.order(legacy.order_id).spec
        again = upgraded.engine.submit(ANYONE, spec)
        assert (again.order_id, again.replayed) == (legacy.order_id, True)
        with pytest.raises(IdempotencyConflictError):
            upgraded.engine.submit(ANYONE, replace(spec, amount_in=spec.amount_in + 1))


def test_a_limit_order_that_expired_during_the_upgrade_expires(dynamo: DynamoStores, upgraded: Upgraded) -> None:
    [legacy] = put_orders(dynamo.aws, "limit_amended")
    upgraded.clock.sleep(MUCH_LATER_SECONDS)
    upgraded.run()
    assert upgraded.order(legacy.order_id).status is Status.EXPIRED
    assert legacy.record["expiresAt"] == legacy_order("limit_missed").record["expiresAt"]
