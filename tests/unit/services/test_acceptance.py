"""How limit and sniper orders begin: at once where the market is there already, else by waiting."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.api.problems import problem_of
from chalicelib.codec.times import to_text
from chalicelib.domain.conditions import MAX_ORDER_LIFETIME, TimeInForce
from chalicelib.domain.errors import InvalidOrderError, PoolAlreadyLiveError, TooManyOpenOrdersError
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.domain.tokens import BY_SYMBOL, Side
from tests.support.open_orders import a_launch, a_limit, a_sniper, accept, best_output, price_for, push
from tests.support.workbench import Workbench, a_workbench

AT_ONCE = ["pending", "open", "triggered", "routing", "routing", "building", "submitted", "confirmed"]


@pytest.fixture
def bench() -> Workbench:
    bench = a_workbench()
    push(bench, 100)
    return bench


def least_of(order: Order) -> int:
    assert order.min_amount_out is not None
    return order.min_amount_out


def test_an_order_whose_time_is_up_is_refused_and_one_that_was_accepted_is_answered_again(bench: Workbench) -> None:
    spec = replace(
        a_limit(200, Side.SELL), time_in_force=TimeInForce.GTD, expires_at=bench.clock.now() + timedelta(seconds=1)
    )
    first = bench.engine.submit(spec, idempotency_key="k")
    bench.clock.sleep(1)
    again = bench.engine.submit(spec, idempotency_key="k")
    assert (again.order_id, again.replayed, again.entry) == (first.order_id, True, first.entry)
    with pytest.raises(InvalidOrderError) as caught:
        bench.engine.submit(spec)
    assert [(error.field, error.code) for error in caught.value.errors] == [("expiresAt", "EXPIRY_PAST")]


@pytest.mark.parametrize("side", Side)
def test_an_order_is_marketable_at_entry_to_the_last_base_unit(bench: Workbench, side: Side) -> None:
    now = best_output(bench, a_limit(side=side))
    reached, missed = (a_limit(price_for(a_limit(side=side), least), side) for least in (now, now + 1))
    filled, waits = (bench.engine.submit(spec) for spec in (reached, missed))
    assert filled.entry is not None
    assert waits.entry is not None
    assert (filled.entry["marketableAtEntry"], waits.entry["marketableAtEntry"]) == (True, False)
    bench.process_all()
    assert bench.statuses(filled.order_id) == AT_ONCE
    assert bench.statuses(waits.order_id) == ["pending", "open"]
    order = bench.order(filled.order_id)
    assert (order.amount_out, order.min_amount_out) == (now, now)


@pytest.mark.parametrize("side", Side)
def test_a_marketable_order_gets_the_market_and_not_its_limit(bench: Workbench, side: Side) -> None:
    generous = a_limit(50 if side is Side.SELL else 200, side)
    order_id = accept(bench, generous)
    now = best_output(bench, generous)
    bench.process_all()
    order = bench.order(order_id)
    assert order.status is Status.CONFIRMED
    assert order.amount_out == now
    assert least_of(order) == generous.limit_min_out
    assert now > least_of(order)
    assert [fill.amount_out for fill in bench.ledger.swaps_of(order_id)] == [now]


def test_what_waits_says_from_the_start_what_for_and_how_long(bench: Workbench) -> None:
    spec = a_limit(150)
    submission = bench.engine.submit(spec)
    assert submission.entry == {
        "limitPrice": spec.limit_price,
        "timeInForce": "GTC",
        "expiresAt": to_text(bench.clock.now() + MAX_ORDER_LIFETIME),
        "minAmountOut": 300,
        "minAmountOutBase": "300000000",
        "marketableAtEntry": False,
    }
    order = bench.order(submission.order_id)
    assert (order.min_amount_out, order.expires_at) == (300_000_000, bench.clock.now() + MAX_ORDER_LIFETIME)
    assert bench.queue.bodies == []


def test_a_repeated_key_gets_the_answer_of_the_first_time_whatever_came_since(bench: Workbench) -> None:
    first = bench.engine.submit(a_limit(150), idempotency_key="k")
    push(bench, 200)
    bench.process_all()
    again = bench.engine.submit(a_limit(150), idempotency_key="k")
    assert bench.order(first.order_id).status is Status.CONFIRMED
    assert (again.order_id, again.entry, again.replayed) == (first.order_id, first.entry, True)


# --- immediate or cancel -----------------------------------------------------------------------------------


def test_an_immediate_order_fills_at_its_price(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(90, time_in_force=TimeInForce.IOC))
    bench.process_all()
    assert bench.statuses(order_id) == AT_ONCE


def test_an_immediate_order_that_cannot_be_filled_is_over_after_one_look_at_the_venues(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(150, time_in_force=TimeInForce.IOC))
    bench.process_all()
    assert bench.statuses(order_id) == ["pending", "open", "triggered", "routing", "routing", "expired"]
    order = bench.order(order_id)
    assert order.events[1].meta["marketableAtEntry"] is False
    assert "minimum" in order.events[-1].meta["reason"]
    assert bench.ledger.swaps_of(order_id) == []
    push(bench, 200)
    bench.engine.market.look()
    assert bench.order(order_id).seq == order.seq, "it never waits"


def test_an_immediate_order_whose_price_leaves_before_it_lands_is_over(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(90, time_in_force=TimeInForce.IOC, simulate="slippage:1"))
    bench.process_all()
    assert bench.statuses(order_id)[-3:] == ["submitted", "routing", "expired"]
    assert bench.ledger.swaps_of(order_id) == []


# --- launches that have been -------------------------------------------------------------------------------


def test_there_is_no_launch_to_wait_for_of_what_is_traded(bench: Workbench) -> None:
    bench.engine.market.launch(a_launch(bench))
    for spec in (a_sniper(BY_SYMBOL["JUP"].mint, token_out=BY_SYMBOL["JUP"]), a_sniper()):
        with pytest.raises(PoolAlreadyLiveError) as caught:
            accept(bench, spec)
        problem = problem_of(caught.value)
        assert (problem.status, problem.code) == (409, "POOL_ALREADY_LIVE")
    assert bench.orders.writes == 0


# --- how many may wait -------------------------------------------------------------------------------------


def test_a_user_keeps_so_many_orders_open_and_no_more() -> None:
    bench = a_workbench(max_open_orders_per_user=3)
    push(bench, 100)
    orders = [accept(bench, spec) for spec in (a_limit(150), a_limit(50, Side.BUY), a_sniper())]
    for spec in (a_limit(150), a_sniper()):
        with pytest.raises(TooManyOpenOrdersError) as caught:
            accept(bench, spec)
    problem = problem_of(caught.value)
    assert (problem.status, problem.code) == (429, "OPEN_ORDERS_FULL")
    assert problem.retry_after is not None
    accept(bench, a_limit(150, user_id="bob"))

    bench.engine.cancel(orders[1])
    accept(bench, a_limit(150))


def test_what_does_not_wait_takes_no_place_among_the_open_ones() -> None:
    bench = a_workbench(max_open_orders_per_user=1)
    push(bench, 100)
    accept(bench, a_limit(150))
    for spec in (a_limit(50), a_limit(150, time_in_force=TimeInForce.IOC)):
        accept(bench, spec)
    bench.submit()
    with pytest.raises(TooManyOpenOrdersError):
        accept(bench, a_limit(160))


def test_an_order_that_triggers_frees_its_place() -> None:
    bench = a_workbench(max_open_orders_per_user=1)
    push(bench, 100)
    accept(bench, a_limit(150))
    push(bench, 200)
    assert accept(bench, a_limit(400))


def test_an_order_that_was_accepted_is_answered_however_many_are_open() -> None:
    bench = a_workbench(max_open_orders_per_user=1)
    first = bench.engine.submit(a_limit(150), idempotency_key="k")
    assert bench.engine.submit(a_limit(150), idempotency_key="k").order_id == first.order_id
