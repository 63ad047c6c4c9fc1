"""The contract of ``OrderIndex``, on the fake and on DynamoDB."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from chalicelib.domain.orders import Order
from chalicelib.domain.read_model import Position, read_model_of
from chalicelib.ports.order_index import OrderIndex
from chalicelib.ports.orders import Lease, OrderStore, StoredOrder
from orderengine.testing.fakes.clock import FakeClock
from tests.contract.stores.conftest import DynamoStores
from tests.contract.stores.test_order_store import begun, created
from tests.support.open_orders import a_limit
from tests.support.order_builders import amended, cancelled, confirmed, failed, opened, pending, triggered

MS = timedelta(milliseconds=1)
MINUTE_MS = 60_000
#: Longer than an order counts as recent.
LONG_AGO = timedelta(hours=2)


@pytest.fixture
def now(clock: FakeClock) -> datetime:
    return clock.now()


def position(order: Order) -> Position:
    return read_model_of(order).position


def ended(orders: OrderStore, order: Order, deadline_ms: int | None, step: Callable[..., Order] = confirmed) -> Order:
    before = created(orders, order)
    return orders.write(before, step(before.order), lease=None, deadline_ms=deadline_ms).order


def open_order(orders: OrderStore, at: datetime, deadline_ms: int = MINUTE_MS) -> StoredOrder:
    return orders.create(opened(a_limit(user_id="alice"), at), deadline_ms)


def test_a_users_unfinished_orders_are_unsettled_however_old_they_are(
    orders: OrderStore, order_index: OrderIndex, now: datetime
) -> None:
    old = open_order(orders, now - LONG_AGO, deadline_ms=10**13).order
    active = created(orders, pending(now - LONG_AGO + MS)).order
    created(orders, pending(now, user_id="bob"))
    assert order_index.unsettled("alice") == [position(active), position(old)]


def test_a_users_terminal_order_that_is_not_recorded_is_unsettled_until_it_is(
    orders: OrderStore, order_index: OrderIndex, now: datetime
) -> None:
    order = ended(orders, pending(now - LONG_AGO), deadline_ms=1_000, step=cancelled)
    assert order_index.unsettled("alice") == [position(order)]
    orders.set_deadline(StoredOrder(order), None)
    assert order_index.unsettled("alice") == []


def test_a_terminal_order_becomes_unsettled_by_a_deadline(
    orders: OrderStore, order_index: OrderIndex, now: datetime
) -> None:
    order = ended(orders, pending(now - LONG_AGO), deadline_ms=None)
    assert order_index.unsettled("alice") == []
    orders.set_deadline(StoredOrder(order), 1_000)
    assert order_index.unsettled("alice") == [position(order)]


def test_a_users_recent_order_is_unsettled_also_when_it_has_ended(
    orders: OrderStore, order_index: OrderIndex, now: datetime
) -> None:
    order = ended(orders, pending(now - timedelta(minutes=59)), deadline_ms=None, step=failed)
    ended(orders, pending(now - LONG_AGO), deadline_ms=None)
    assert order_index.unsettled("alice") == [position(order)]


def test_every_users_active_and_unrecorded_orders_are_unsettled(
    orders: OrderStore, order_index: OrderIndex, now: datetime
) -> None:
    active = [created(orders, pending(now - LONG_AGO + n * MS, user_id=f"user-{n}")).order for n in range(5)]
    unrecorded = ended(orders, pending(now - LONG_AGO - MS), deadline_ms=1_000)
    assert order_index.unsettled(None) == [*map(position, reversed(active)), position(unrecorded)]


def test_an_order_that_has_just_ended_is_unsettled_for_a_while(
    orders: OrderStore, order_index: OrderIndex, clock: FakeClock
) -> None:
    before = created(orders, pending(clock.now()))
    after = orders.write(before, confirmed(before.order, clock.now()), lease=None, deadline_ms=None).order
    for _ in range(10):
        assert order_index.unsettled(None) == [position(after)]
        clock.sleep(59)
    clock.sleep(1200)
    assert order_index.unsettled(None) == []


def test_an_ended_order_has_no_deadline(orders: OrderStore, now: datetime) -> None:
    order = ended(orders, pending(now), deadline_ms=None)
    stored = orders.get(order.order_id)
    assert stored is not None
    assert stored.deadline_ms is None
    assert orders.due(10**13, 10) == []
    assert orders.history_lag(10).orders == 0


def test_the_index_knows_of_every_order_that_is_not_over(orders: OrderStore, now: datetime) -> None:
    assert not orders.has_deadlines()
    for _ in range(20):
        ended(orders, pending(now), deadline_ms=None)
    assert not orders.has_deadlines()
    _counts_until_it_is_recorded(orders, created(orders, pending(now)), now)
    _counts_until_it_is_recorded(orders, open_order(orders, now, 10**13), now)


def _counts_until_it_is_recorded(orders: OrderStore, stored: StoredOrder, now: datetime) -> None:
    assert orders.has_deadlines()
    unrecorded = orders.write(stored, cancelled(stored.order, now), lease=None, deadline_ms=10**13)
    assert orders.has_deadlines()
    orders.set_deadline(unrecorded, None)
    assert not orders.has_deadlines()


def test_an_open_order_is_unsettled_for_all_users_while_work_on_it_is_left(
    orders: OrderStore, order_index: OrderIndex, clock: FakeClock
) -> None:
    new = open_order(orders, clock.now(), clock.now_ms() + MINUTE_MS)
    open_order(orders, clock.now(), clock.now_ms() + 24 * 60 * MINUTE_MS)
    assert order_index.unsettled(None) == [position(new.order)]


def test_the_orders_of_a_user_come_newest_first_and_by_id_within_a_millisecond(
    orders: OrderStore, order_index: OrderIndex, now: datetime
) -> None:
    mine = [pending(now + (number // 3) * MS) for number in range(9)]
    for order in mine:
        created(orders, order)
    created(orders, pending(now, user_id="bob"))
    expected = sorted(map(position, mine), reverse=True)
    assert list(order_index.newest_of("alice", None, None)) == expected
    for number, before in enumerate(expected):
        assert list(order_index.newest_of("alice", None, before)) == expected[number + 1 :]
    assert list(order_index.newest_of("alice", now + MS, None)) == expected[:6]


def test_the_orders_of_a_user_include_those_that_ended(
    orders: OrderStore, order_index: OrderIndex, now: datetime
) -> None:
    order = ended(orders, pending(now - LONG_AGO), deadline_ms=None)
    assert list(order_index.newest_of("alice", None, None)) == [position(order)]


def test_orders_are_read_as_they_are_now_and_in_the_sequence_of_their_positions(
    orders: OrderStore, order_index: OrderIndex, now: datetime
) -> None:
    first, second = open_order(orders, now), open_order(orders, now)
    moved = orders.write(first, triggered(amended(first.order, "140")), lease=None, deadline_ms=1).order
    absent = position(pending(now))
    wanted = [position(second.order), absent, position(first.order)]
    assert order_index.read(wanted) == [second.order, moved]
    assert order_index.read([]) == []


def test_an_unreadable_item_hides_no_other_order(dynamo: DynamoStores, now: datetime) -> None:
    good, bad = created(dynamo.orders, pending(now)).order, created(dynamo.orders, pending(now)).order
    dynamo.aws.dynamodb.update_item(
        TableName="OrdersTable",
        Key={"orderId": {"S": bad.order_id}},
        UpdateExpression="SET events = :nonsense",
        ExpressionAttributeValues={":nonsense": {"L": [{"S": "nonsense"}]}},
    )
    assert dynamo.order_index.read([position(bad), position(good)]) == [good]
    assert [one.order for one in dynamo.order_index.with_deadline(1_000, 1_000, 10)] == [good]


def test_the_active_orders_with_a_deadline_between_two_moments_are_found_the_latest_first(
    orders: OrderStore, order_index: OrderIndex, now: datetime
) -> None:
    """Among them those with a lease, as the table has it."""
    active = [orders.create(pending(now), deadline_ms) for deadline_ms in (999, 1_000, 1_001, 2_000, 2_001)]
    lease = Lease("worker", 1_500)
    before = active[2]
    leased = orders.write(before, begun(before.order), lease=lease, deadline_ms=1_001)
    open_order(orders, now, deadline_ms=1_500)
    ended(orders, pending(now), deadline_ms=1_500)
    found = order_index.with_deadline(1_000, 2_000, 10)
    assert {one.order.order_id for one in found} == {one.order.order_id for one in active[1:4]}
    assert [one.lease for one in found if one.order.order_id == leased.order.order_id] == [lease]
    latest = order_index.with_deadline(1_000, 2_000, 2)
    assert {one.order.order_id for one in latest} == {one.order.order_id for one in active[2:4]}
