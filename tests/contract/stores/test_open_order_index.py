"""What every ``OpenOrderIndex`` promises, and what an ``OrderStore`` does of orders that wait."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.domain.tokens import Side, find_market
from chalicelib.ports.orders import OpenOrderIndex, OrderStore, StoredOrder, UnreadableOrderError
from chalicelib.ports.streams import Subscriber
from chalicelib.stores import open_orders as dynamo_open_orders
from chalicelib.stores.orders import DynamoOrderStore
from tests.contract.stores.aws import Wire
from tests.contract.stores.conftest import DynamoStores
from tests.contract.stores.racing import race
from tests.support.open_orders import MINT, SOL_USDC, a_limit, a_sniper
from tests.support.order_builders import NOON, amended, cancelled, opened, pending, rearmed, triggered

JUP_USDC = find_market("JUP/USDC")
OTHER_MINT = "9xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
SOON, LATER = 1_000, 2_000


def kept(orders: OrderStore, order: Order, deadline_ms: int = SOON) -> StoredOrder:
    return orders.create(order, deadline_ms)


def moved(orders: OrderStore, before: StoredOrder, after: Order, deadline_ms: int | None = SOON) -> StoredOrder:
    return orders.write(before, after, lease=None, deadline_ms=deadline_ms)


def ids(waiting: OpenOrderIndex, side: Side, price: str) -> list[str]:
    return [found.order.order_id for found in waiting.crossed(SOL_USDC, side, Decimal(price))]


def limits(waiting: OpenOrderIndex, side: Side, price: str) -> list[str]:
    return [str(found.order.spec.limit_price) for found in waiting.crossed(SOL_USDC, side, Decimal(price))]


# --- by price ----------------------------------------------------------------------------------------------


def test_sells_are_found_up_to_the_price_and_the_cheapest_first(orders: OrderStore, waiting: OpenOrderIndex) -> None:
    for price in ("100", "9", "100.000000000000000001", "20.5", "1000"):
        kept(orders, opened(a_limit(price)))
    assert limits(waiting, Side.SELL, "100") == ["9", "20.5", "100"]
    assert limits(waiting, Side.SELL, "8.99") == []


def test_buys_are_found_down_to_the_price_and_the_dearest_first(orders: OrderStore, waiting: OpenOrderIndex) -> None:
    for price in ("100", "9", "99.999999999999999999", "120.5", "1000"):
        kept(orders, opened(a_limit(price, Side.BUY)))
    assert limits(waiting, Side.BUY, "100") == ["1000", "120.5", "100"]
    assert limits(waiting, Side.BUY, "1000.01") == []


def test_only_orders_of_the_pair_and_side_are_found(orders: OrderStore, waiting: OpenOrderIndex) -> None:
    mine = kept(orders, opened(a_limit(100)))
    kept(orders, opened(a_limit(100, Side.BUY)))
    kept(orders, opened(a_limit(100, token_in=JUP_USDC.base, amount_in=10**6)))
    kept(orders, opened(a_sniper()))
    kept(orders, pending())
    assert ids(waiting, Side.SELL, "200") == [mine.order.order_id]


def test_an_order_is_found_whole(orders: OrderStore, waiting: OpenOrderIndex) -> None:
    me = Subscriber("me", coarse=True)
    order = amended(opened(a_limit("100.5")), "101.25")
    stored = orders.create(order, SOON, [me])
    [found] = waiting.crossed(SOL_USDC, Side.SELL, Decimal(200))
    assert found == stored == orders.get(order.order_id)
    assert found.subscribers == {me}


def test_an_order_that_was_found_can_be_moved_as_it_was_found(orders: OrderStore, waiting: OpenOrderIndex) -> None:
    kept(orders, opened(a_limit(100)))
    [found] = waiting.crossed(SOL_USDC, Side.SELL, Decimal(200))
    after = moved(orders, found, triggered(found.order))
    assert orders.get(found.order.order_id) == after


def test_an_order_is_found_while_it_is_open_and_not_before_or_after(
    orders: OrderStore, waiting: OpenOrderIndex
) -> None:
    def is_found() -> bool:
        return ids(waiting, Side.SELL, "200") == [order_id]

    stored = kept(orders, pending(type=a_limit().type, limit_price=Decimal(100)))
    order_id = stored.order.order_id
    seen = [is_found()]
    steps: list[Callable[[Order], Order]] = [
        lambda order: order.moved(Status.OPEN, NOON),
        triggered,
        lambda order: order.moved(Status.ROUTING, NOON, next_attempt=True),
        lambda order: order.moved(Status.OPEN, NOON, {"rearmed": 1}),
        cancelled,
    ]
    for step in steps:
        stored = moved(orders, stored, step(stored.order))
        seen.append(is_found())
    assert seen == [False, True, False, False, True, False]


def test_an_amended_order_is_found_by_its_new_price_alone(orders: OrderStore, waiting: OpenOrderIndex) -> None:
    stored = kept(orders, opened(a_limit(100)))
    moved(orders, stored, amended(stored.order, "150"))
    assert ids(waiting, Side.SELL, "149") == []
    assert ids(waiting, Side.SELL, "150") == [stored.order.order_id]
    assert limits(waiting, Side.SELL, "150") == ["150"]


def test_no_more_is_read_than_is_taken(dynamo: DynamoStores, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamo_open_orders, "_PAGE", 3)
    for price in range(100, 110):
        dynamo.orders.create(opened(a_limit(price)), SOON)
    wire.calls.clear()
    found = dynamo.waiting.crossed(SOL_USDC, Side.SELL, Decimal(200))
    assert wire.calls == []
    assert [int(next(found).order.spec.limit_price or 0) for _ in range(3)] == [100, 101, 102]
    assert wire.calls == ["Query"]
    next(found)
    assert wire.calls == ["Query"] * 2
    assert len(list(found)) == 6


def test_one_of_many_that_release_an_order_does(orders: OrderStore, waiting: OpenOrderIndex) -> None:
    kept(orders, opened(a_limit(100)))
    [found] = waiting.crossed(SOL_USDC, Side.SELL, Decimal(200))

    def release(number: int) -> bool:
        meta = {"trigger": "price", "by": number}
        try:
            moved(orders, found, found.order.moved(Status.TRIGGERED, NOON, meta))
        except Exception:
            return False
        return True

    assert sum(race(release)) == 1


# --- by launch ---------------------------------------------------------------------------------------------


def test_who_waits_for_a_launch_is_found_by_its_mint_the_oldest_first(
    orders: OrderStore, waiting: OpenOrderIndex
) -> None:
    late, early = (opened(a_sniper(), NOON + timedelta(seconds=n)) for n in (2, 1))
    for order in (late, early, opened(a_sniper(OTHER_MINT)), opened(a_limit(100))):
        kept(orders, order)
    found = [one.order for one in waiting.for_launch(MINT)]
    assert found == [early, late]
    assert list(waiting.for_launch("nobody waits for it")) == []


def test_a_sniper_order_that_triggered_is_not_found_and_one_that_was_refused_is(
    orders: OrderStore, waiting: OpenOrderIndex
) -> None:
    stored = kept(orders, opened(a_sniper()))
    refused = stored.order.moved(Status.OPEN, NOON, {"reason": "too small", "launchId": "a#b#1"})
    stored = moved(orders, stored, refused)
    assert [one.order for one in waiting.for_launch(MINT)] == [refused]
    moved(orders, stored, triggered(refused))
    assert list(waiting.for_launch(MINT)) == []


def test_one_that_cannot_be_read_keeps_nobody_else_from_being_found(
    dynamo_orders: DynamoOrderStore, wire: Wire, request: pytest.FixtureRequest
) -> None:
    waiting: OpenOrderIndex = request.getfixturevalue("module_stores").waiting
    limit, other = (kept(dynamo_orders, opened(a_limit(100))) for _ in range(2))
    sniper, late = (kept(dynamo_orders, opened(a_sniper(), NOON + timedelta(seconds=n))) for n in (1, 2))
    for broken in (limit, sniper):
        item = dynamo_orders._item(broken.order.order_id)
        item.update([dynamo_orders._item.token_in.set("a token that was taken out")])
    assert ids(waiting, Side.SELL, "100") == [other.order.order_id]
    assert [one.order.order_id for one in waiting.for_launch(MINT)] == [late.order.order_id]
    with pytest.raises(UnreadableOrderError):
        dynamo_orders.get(limit.order.order_id)


# --- what the order store does of them ---------------------------------------------------------------------


def test_open_orders_are_counted_apart_from_those_that_are_on_their_way(orders: OrderStore) -> None:
    def counts(limit: int = 10) -> tuple[int, int]:
        return orders.count_open("alice", limit), orders.count_active("alice", limit)

    alice = {"user_id": "alice"}
    first = kept(orders, opened(a_limit(100, **alice)))
    kept(orders, opened(a_sniper(**alice)))
    kept(orders, pending(user_id="alice"))
    kept(orders, opened(a_limit(100, user_id="bob")))
    assert (counts(), counts(limit=1)) == ((2, 1), (1, 1))
    first = moved(orders, first, triggered(first.order))
    assert counts() == (1, 2)
    first = moved(orders, first, first.order.moved(Status.OPEN, NOON, {"rearmed": 1}))
    assert counts() == (2, 1)
    moved(orders, first, cancelled(first.order), None)
    assert counts() == (1, 1)


def test_a_count_costs_one_request_however_many_there_are(dynamo_orders: DynamoOrderStore, wire: Wire) -> None:
    for _ in range(7):
        dynamo_orders.create(pending(), SOON)
    wire.calls.clear()
    assert dynamo_orders.count_active("alice", 2) == 2
    assert wire.calls == ["Query"]


def test_all_that_is_not_over_is_listed_whether_it_waits_or_not(orders: OrderStore) -> None:
    lives = [
        opened(a_limit(100, user_id="alice"), NOON),
        pending(NOON + timedelta(seconds=1)),
        triggered(opened(a_limit(100, user_id="alice"), NOON + timedelta(seconds=2))),
        opened(a_sniper(user_id="alice"), NOON + timedelta(seconds=3)),
        rearmed(opened(a_limit(100, user_id="alice"), NOON + timedelta(seconds=4))),
    ]
    for order in lives:
        kept(orders, order)
    over = kept(orders, opened(a_limit(100, user_id="alice")))
    moved(orders, over, cancelled(over.order), None)
    assert orders.unfinished_of("alice") == [order.order_id for order in lives]


def test_only_open_orders_are_due_to_expire(orders: OrderStore) -> None:
    first, second = (kept(orders, opened(a_limit(100)), at).order.order_id for at in (LATER - 1, SOON))
    kept(orders, pending(), SOON)
    kept(orders, triggered(opened(a_limit(100))), SOON)
    kept(orders, opened(a_limit(100)), LATER + 1)
    assert orders.due_open(LATER, 10) == [second, first]
    assert orders.due_open(LATER, 1) == [second]
    assert orders.due_open(SOON - 1, 10) == []
    assert {first, second} < set(orders.due(LATER, 10))


def test_many_that_are_due_crowd_out_none_of_another_kind(orders: OrderStore) -> None:
    for _ in range(3):
        kept(orders, opened(a_limit(100)), SOON)
        moved(orders, over := kept(orders, opened(a_limit(100))), cancelled(over.order), SOON)
    lost = kept(orders, pending(), SOON + 1)
    found = orders.due(LATER, 2)
    assert lost.order.order_id in found
    assert len(found) == 5


def test_an_order_is_due_with_the_open_ones_for_as_long_as_it_is_open(orders: OrderStore) -> None:
    stored = kept(orders, opened(a_limit(100)))
    order_id = stored.order.order_id
    stored = moved(orders, stored, triggered(stored.order))
    assert (orders.due_open(LATER, 10), orders.due(LATER, 10)) == ([], [order_id])
    stored = moved(orders, stored, stored.order.moved(Status.OPEN, NOON, {"rearmed": 1}))
    assert orders.due_open(LATER, 10) == [order_id]
    moved(orders, stored, stored.order.moved(Status.EXPIRED, NOON))
    assert (orders.due_open(LATER, 10), orders.due(LATER, 10)) == ([], [order_id])


def test_an_expiry_is_noted_only_while_the_order_stands_where_it_was_seen(orders: OrderStore) -> None:
    seen = kept(orders, opened(a_limit(100)))
    after = moved(orders, seen, triggered(seen.order))
    orders.set_deadline(replace(seen, published=2), LATER)
    assert orders.get(seen.order.order_id) == after
    orders.set_deadline(replace(after, published=3), LATER)
    assert orders.get(seen.order.order_id) == replace(after, published=3, deadline_ms=LATER)
