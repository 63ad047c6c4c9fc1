"""The contract of ``OpenOrderIndex``, and that of ``OrderStore`` for open orders."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from chalicelib.codec.orders import spec_to_json
from chalicelib.domain.conditions import Launch
from chalicelib.domain.events import (
    AttemptStarted,
    Expired,
    LaunchRefused,
    Opened,
    OpenTerms,
    PriceMovedAway,
    PriceTriggered,
)
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.orders import Order
from chalicelib.domain.tokens import Side, find_market
from chalicelib.ports.orders import LostRaceError, OpenOrderIndex, OrderStore, StoredOrder, UnreadableOrderError
from chalicelib.ports.streams import Subscriber
from chalicelib.stores import open_orders as dynamo_open_orders
from chalicelib.stores.order_items import OrderItems
from chalicelib.stores.orders import DynamoOrderStore
from tests.contract.stores.aws import Wire
from tests.contract.stores.conftest import DynamoStores
from tests.contract.stores.racing import race
from tests.support.open_orders import MINT, SOL_USDC, a_limit, a_sniper
from tests.support.order_builders import NOON, amended, cancelled, missed, opened, pending, triggered

JUP_USDC = find_market("JUP/USDC")
assert JUP_USDC is not None
JUP = JUP_USDC.base
OTHER_MINT = "9xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
SOON, LATER = 1_000, 2_000
REFUSED = Launch(MINT, "raydium", "pool", 1, Decimal("0.001"), Decimal(5), SOON)


def create(orders: OrderStore, order: Order, deadline_ms: int = SOON) -> StoredOrder:
    return orders.create(order, deadline_ms)


def moved(orders: OrderStore, before: StoredOrder, after: Order, deadline_ms: int | None = SOON) -> StoredOrder:
    return orders.write(before, after, lease=None, deadline_ms=deadline_ms)


def ids(index: OpenOrderIndex, side: Side, price: str) -> list[str]:
    return [found.order.order_id for found in index.crossed(SOL_USDC, side, Decimal(price))]


def limits(index: OpenOrderIndex, side: Side, price: str) -> list[str]:
    return [str(found.order.spec.limit_price) for found in index.crossed(SOL_USDC, side, Decimal(price))]


# --- by price ----------------------------------------------------------------------------------------------


def test_a_price_crosses_the_sells_at_or_below_it_the_lowest_first(orders: OrderStore, index: OpenOrderIndex) -> None:
    for price in ("100", "9", "100.000000000000000001", "20.5", "1000"):
        create(orders, opened(a_limit(price)))
    assert limits(index, Side.SELL, "100") == ["9", "20.5", "100"]
    assert limits(index, Side.SELL, "8.99") == []


def test_a_price_crosses_the_buys_at_or_above_it_the_highest_first(orders: OrderStore, index: OpenOrderIndex) -> None:
    for price in ("100", "9", "99.999999999999999999", "120.5", "1000"):
        create(orders, opened(a_limit(price, Side.BUY)))
    assert limits(index, Side.BUY, "100") == ["1000", "120.5", "100"]
    assert limits(index, Side.BUY, "1000.01") == []


def test_a_price_crosses_limit_orders_of_its_pair_and_side_only(orders: OrderStore, index: OpenOrderIndex) -> None:
    mine = create(orders, opened(a_limit(100)))
    create(orders, opened(a_limit(100, Side.BUY)))
    create(orders, opened(a_limit(100, token_in=JUP, amount_in=10**6)))
    create(orders, opened(a_sniper()))
    create(orders, pending())
    assert ids(index, Side.SELL, "200") == [mine.order.order_id]


def test_the_index_returns_whole_orders(orders: OrderStore, index: OpenOrderIndex) -> None:
    me = Subscriber("me", coarse=True)
    order = amended(opened(a_limit("100.5")), "101.25")
    stored = orders.create(order, SOON, [me])
    [found] = index.crossed(SOL_USDC, Side.SELL, Decimal(200))
    assert found == stored == orders.get(order.order_id)
    assert found.subscribers == {me}


def test_an_order_from_the_index_can_be_written_without_a_read(orders: OrderStore, index: OpenOrderIndex) -> None:
    create(orders, opened(a_limit(100)))
    [found] = index.crossed(SOL_USDC, Side.SELL, Decimal(200))
    after = moved(orders, found, triggered(found.order))
    assert orders.get(found.order.order_id) == after


def test_an_order_is_in_the_index_only_while_it_is_open(orders: OrderStore, index: OpenOrderIndex) -> None:
    def is_found() -> bool:
        return ids(index, Side.SELL, "200") == [order_id]

    stored = create(orders, pending(type=a_limit().type, limit_price=Decimal(100)))
    order_id = stored.order.order_id
    seen = [is_found()]
    steps: list[Callable[[Order], Order]] = [
        lambda order: order.after(Opened(OpenTerms()), NOON),
        triggered,
        lambda order: order.after(AttemptStarted(), NOON, next_attempt=True),
        lambda order: order.after(PriceMovedAway("the price moved away", 1), NOON),
        cancelled,
    ]
    for step in steps:
        stored = moved(orders, stored, step(stored.order))
        seen.append(is_found())
    assert seen == [False, True, False, False, True, False]


def test_an_amended_order_is_in_the_index_at_its_new_price_only(orders: OrderStore, index: OpenOrderIndex) -> None:
    stored = create(orders, opened(a_limit(100)))
    moved(orders, stored, amended(stored.order, "150"))
    assert ids(index, Side.SELL, "149") == []
    assert ids(index, Side.SELL, "150") == [stored.order.order_id]
    assert limits(index, Side.SELL, "150") == ["150"]


def test_the_index_reads_no_more_than_is_taken(
    dynamo: DynamoStores, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamo_open_orders, "_PAGE", 3)
    for price in range(100, 110):
        dynamo.orders.create(opened(a_limit(price)), SOON)
    wire.calls.clear()
    found = dynamo.open_order_index.crossed(SOL_USDC, Side.SELL, Decimal(200))
    assert wire.calls == []
    assert [int(next(found).order.spec.limit_price or 0) for _ in range(3)] == [100, 101, 102]
    assert wire.calls == ["Query"]
    next(found)
    assert wire.calls == ["Query"] * 2
    assert len(list(found)) == 6


def test_orders_above_an_amount_are_left_out_and_hide_no_other(orders: OrderStore, index: OpenOrderIndex) -> None:
    amounts = (MAX_BASE_UNITS, 10, 11, 9)
    made = [create(orders, opened(a_limit(100 + number, amount_in=amount))) for number, amount in enumerate(amounts)]
    found = index.crossed(SOL_USDC, Side.SELL, Decimal(200), max_amount=10)
    assert [one.order.order_id for one in found] == [made[1].order.order_id, made[3].order.order_id]


def test_the_orders_that_are_left_out_are_not_sent(dynamo: DynamoStores, monkeypatch: pytest.MonkeyPatch) -> None:
    def unexpected(item: object) -> StoredOrder:
        raise AssertionError(item)

    for _ in range(5):
        create(dynamo.orders, opened(a_limit(100, amount_in=11)))
    monkeypatch.setattr(OrderItems, "stored_order", unexpected)
    assert list(dynamo.open_order_index.crossed(SOL_USDC, Side.SELL, Decimal(200), max_amount=10)) == []


def test_an_order_whose_item_lacks_its_amount_is_found(dynamo: DynamoStores) -> None:
    """Earlier releases do not write it."""
    stored = create(dynamo.orders, opened(a_limit(100, amount_in=11)))
    key = {"orderId": {"S": stored.order.order_id}}
    dynamo.aws.dynamodb.update_item(TableName="OrdersTable", Key=key, UpdateExpression="REMOVE waitsAmount")
    [found] = dynamo.open_order_index.crossed(SOL_USDC, Side.SELL, Decimal(200), max_amount=10)
    assert found == stored


def test_of_many_concurrent_triggers_exactly_one_succeeds(orders: OrderStore, index: OpenOrderIndex) -> None:
    create(orders, opened(a_limit(100)))
    [found] = index.crossed(SOL_USDC, Side.SELL, Decimal(200))

    def trigger(number: int) -> bool:
        try:
            moved(orders, found, found.order.after(PriceTriggered("raydium", Decimal(100 + number)), NOON))
        except LostRaceError:
            return False
        return True

    assert sum(race(trigger)) == 1


# --- by launch ---------------------------------------------------------------------------------------------


def test_a_launch_finds_the_sniper_orders_of_its_mint_the_oldest_first(
    orders: OrderStore, index: OpenOrderIndex
) -> None:
    late, early = (opened(a_sniper(), NOON + timedelta(seconds=n)) for n in (2, 1))
    for order in (late, early, opened(a_sniper(OTHER_MINT)), opened(a_limit(100))):
        create(orders, order)
    found = [one.order for one in index.for_launch(MINT)]
    assert found == [early, late]
    assert list(index.for_launch("no order waits for it")) == []


def test_a_launch_finds_refused_sniper_orders_but_not_triggered_ones(
    orders: OrderStore, index: OpenOrderIndex
) -> None:
    stored = create(orders, opened(a_sniper()))
    refused = stored.order.after(LaunchRefused(REFUSED, "too small"), NOON)
    stored = moved(orders, stored, refused)
    assert [one.order for one in index.for_launch(MINT)] == [refused]
    moved(orders, stored, triggered(refused))
    assert list(index.for_launch(MINT)) == []


def test_an_unreadable_item_does_not_hide_other_orders(dynamo: DynamoStores, dynamo_orders: DynamoOrderStore) -> None:
    index = dynamo.open_order_index
    limit, other = (create(dynamo_orders, opened(a_limit(100))) for _ in range(2))
    sniper, late = (create(dynamo_orders, opened(a_sniper(), NOON + timedelta(seconds=n))) for n in (1, 2))
    for broken in (limit, sniper):
        spec = spec_to_json(broken.order.spec).replace('"tokenIn":"SOL"', '"tokenIn":"a token that was removed"')
        dynamo_orders._item(broken.order.order_id).update([dynamo_orders._item.spec.set(spec)])
    assert ids(index, Side.SELL, "100") == [other.order.order_id]
    assert [one.order.order_id for one in index.for_launch(MINT)] == [late.order.order_id]
    with pytest.raises(UnreadableOrderError):
        dynamo_orders.get(limit.order.order_id)


# --- the order store ---------------------------------------------------------------------------------------


def test_open_orders_are_counted_apart_from_active_ones(orders: OrderStore) -> None:
    def counts(limit: int = 10) -> tuple[int, int]:
        return orders.count_open("alice", limit), orders.count_active("alice", limit)

    first = create(orders, opened(a_limit(100, user_id="alice")))
    create(orders, opened(a_sniper(user_id="alice")))
    create(orders, pending(user_id="alice"))
    create(orders, opened(a_limit(100, user_id="bob")))
    assert (counts(), counts(limit=1)) == ((2, 1), (1, 1))
    first = moved(orders, first, triggered(first.order))
    assert counts() == (1, 2)
    first = moved(orders, first, first.order.after(PriceMovedAway("the price moved away", 1), NOON))
    assert counts() == (2, 1)
    moved(orders, first, cancelled(first.order), None)
    assert counts() == (1, 1)


def test_a_count_costs_one_request_for_any_number_of_orders(dynamo_orders: DynamoOrderStore, wire: Wire) -> None:
    for _ in range(7):
        dynamo_orders.create(pending(), SOON)
    wire.calls.clear()
    assert dynamo_orders.count_active("alice", 2) == 2
    assert wire.calls == ["Query"]


def test_active_and_open_orders_are_listed_together(orders: OrderStore) -> None:
    listed = [
        opened(a_limit(100, user_id="alice"), NOON),
        pending(NOON + timedelta(seconds=1)),
        triggered(opened(a_limit(100, user_id="alice"), NOON + timedelta(seconds=2))),
        opened(a_sniper(user_id="alice"), NOON + timedelta(seconds=3)),
        missed(opened(a_limit(100, user_id="alice"), NOON + timedelta(seconds=4))),
    ]
    for order in listed:
        create(orders, order)
    ended = create(orders, opened(a_limit(100, user_id="alice")))
    moved(orders, ended, cancelled(ended.order), None)
    assert orders.unfinished_of("alice") == [order.order_id for order in listed]


def test_only_open_orders_are_due_to_expire(orders: OrderStore) -> None:
    first, second = (create(orders, opened(a_limit(100)), at).order.order_id for at in (LATER - 1, SOON))
    create(orders, pending(), SOON)
    create(orders, triggered(opened(a_limit(100))), SOON)
    create(orders, opened(a_limit(100)), LATER + 1)
    assert orders.due_open(LATER, 10) == [second, first]
    assert orders.due_open(LATER, 1) == [second]
    assert orders.due_open(SOON - 1, 10) == []
    assert {first, second} < set(orders.due(LATER, 10))


def test_overdue_orders_of_one_kind_do_not_crowd_out_another_kind(orders: OrderStore) -> None:
    for _ in range(3):
        create(orders, opened(a_limit(100)), SOON)
        moved(orders, ended := create(orders, opened(a_limit(100))), cancelled(ended.order), SOON)
    lost = create(orders, pending(), SOON + 1)
    found = orders.due(LATER, 2)
    assert lost.order.order_id in found
    assert len(found) == 5


def test_an_order_is_due_as_an_open_one_only_while_it_is_open(orders: OrderStore) -> None:
    stored = create(orders, opened(a_limit(100)))
    order_id = stored.order.order_id
    stored = moved(orders, stored, triggered(stored.order))
    assert (orders.due_open(LATER, 10), orders.due(LATER, 10)) == ([], [order_id])
    stored = moved(orders, stored, stored.order.after(PriceMovedAway("the price moved away", 1), NOON))
    assert orders.due_open(LATER, 10) == [order_id]
    moved(orders, stored, stored.order.after(Expired(), NOON))
    assert (orders.due_open(LATER, 10), orders.due(LATER, 10)) == ([], [order_id])


def test_a_deadline_is_set_only_if_the_order_has_not_moved(orders: OrderStore) -> None:
    seen = create(orders, opened(a_limit(100)))
    after = moved(orders, seen, triggered(seen.order))
    orders.set_deadline(replace(seen, published=2), LATER)
    assert orders.get(seen.order.order_id) == after
    orders.set_deadline(replace(after, published=3), LATER)
    assert orders.get(seen.order.order_id) == replace(after, published=3, deadline_ms=LATER)
