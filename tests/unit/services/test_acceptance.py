"""The acceptance of limit and sniper orders: triggered at entry where the market allows it, else open."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.api.meta import meta_of
from chalicelib.api.problems import problem_of
from chalicelib.codec.times import to_text
from chalicelib.domain.conditions import MAX_ORDER_LIFETIME, TimeInForce
from chalicelib.domain.errors import BrokenRule, BrokenRulesError, PoolAlreadyLiveError, Rule, TooManyOpenOrdersError
from chalicelib.domain.events import Expired, Opened, OpenTerms
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.domain.tokens import BY_SYMBOL, Side
from tests.support.callers import ANYONE
from tests.support.open_orders import a_launch, a_limit, a_sniper, accept, best_output, price_for, push
from tests.support.workbench import Workbench, a_workbench

FILLED_AT_ENTRY = ["pending", "open", "triggered", "routing", "routing", "building", "submitted", "confirmed"]


@pytest.fixture
def bench() -> Workbench:
    bench = a_workbench()
    push(bench, 100)
    return bench


def min_output_of(order: Order) -> int:
    assert order.min_amount_out is not None
    return order.min_amount_out


def marketable_at_entry(opened: Opened | None) -> bool | None:
    assert opened is not None
    return opened.marketable


def test_an_expired_order_is_refused_but_a_repeat_of_an_accepted_one_gets_the_same_answer(bench: Workbench) -> None:
    spec = replace(
        a_limit(200, Side.SELL), time_in_force=TimeInForce.GTD, expires_at=bench.clock.now() + timedelta(seconds=1)
    )
    first = bench.engine.submit(ANYONE, spec, idempotency_key="k")
    bench.clock.sleep(1)
    again = bench.engine.submit(ANYONE, spec, idempotency_key="k")
    assert (again.order_id, again.replayed, again.opened) == (first.order_id, True, first.opened)
    with pytest.raises(BrokenRulesError) as caught:
        bench.engine.submit(ANYONE, spec)
    assert caught.value.broken == (BrokenRule("expires_at", Rule.EXPIRES_IN_THE_FUTURE),)
    assert [(error.field, error.code) for error in problem_of(caught.value).errors] == [("expiresAt", "EXPIRY_PAST")]


@pytest.mark.parametrize("side", Side)
def test_an_order_is_marketable_at_entry_to_the_last_base_unit(bench: Workbench, side: Side) -> None:
    now = best_output(bench, a_limit(side=side))
    reached, missed = (a_limit(price_for(a_limit(side=side), minimum), side) for minimum in (now, now + 1))
    filled, still_open = (bench.engine.submit(ANYONE, spec) for spec in (reached, missed))
    assert (marketable_at_entry(filled.opened), marketable_at_entry(still_open.opened)) == (True, False)
    bench.process_all()
    assert bench.statuses(filled.order_id) == FILLED_AT_ENTRY
    assert bench.statuses(still_open.order_id) == ["pending", "open"]
    order = bench.order(filled.order_id)
    assert (order.amount_out, order.min_amount_out) == (now, now)


@pytest.mark.parametrize("side", Side)
def test_a_marketable_order_fills_at_the_market_price_and_not_at_its_limit(bench: Workbench, side: Side) -> None:
    generous = a_limit(50 if side is Side.SELL else 200, side)
    order_id = accept(bench, generous)
    now = best_output(bench, generous)
    bench.process_all()
    order = bench.order(order_id)
    assert order.status is Status.CONFIRMED
    assert order.amount_out == now
    assert min_output_of(order) == generous.limit_min_out
    assert now > min_output_of(order)
    assert [fill.amount_out for fill in bench.ledger.swaps_of(order_id)] == [now]


def test_the_open_event_states_the_terms_and_the_expiry(bench: Workbench) -> None:
    spec = a_limit(150)
    submission = bench.engine.submit(ANYONE, spec)
    order, expires_at = bench.order(submission.order_id), bench.clock.now() + MAX_ORDER_LIFETIME
    terms = OpenTerms(spec.limit_price, TimeInForce.GTC, expires_at, min_amount_out=300_000_000)
    assert submission.opened == order.events[1].data == Opened(terms, marketable=False)
    assert meta_of(order.spec, order.events[1]) == {
        "limitPrice": spec.limit_price,
        "timeInForce": "GTC",
        "expiresAt": to_text(expires_at),
        "minAmountOut": 300,
        "minAmountOutBase": "300000000",
        "marketableAtEntry": False,
    }
    assert (order.min_amount_out, order.expires_at) == (300_000_000, expires_at)
    assert bench.order_queue.bodies == []


def test_a_repeated_key_gets_the_first_answer_even_after_the_order_has_filled(bench: Workbench) -> None:
    first = bench.engine.submit(ANYONE, a_limit(150), idempotency_key="k")
    push(bench, 200)
    bench.process_all()
    again = bench.engine.submit(ANYONE, a_limit(150), idempotency_key="k")
    assert bench.order(first.order_id).status is Status.CONFIRMED
    assert (again.order_id, again.opened, again.replayed) == (first.order_id, first.opened, True)


# --- immediate or cancel -----------------------------------------------------------------------------------


def test_an_ioc_order_fills_at_its_price(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(90, time_in_force=TimeInForce.IOC))
    bench.process_all()
    assert bench.statuses(order_id) == FILLED_AT_ENTRY


def test_an_ioc_order_that_no_venue_can_fill_expires_after_one_routing(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(150, time_in_force=TimeInForce.IOC))
    bench.process_all()
    assert bench.statuses(order_id) == ["pending", "open", "triggered", "routing", "routing", "expired"]
    order = bench.order(order_id)
    opened, expired = order.events[1].data, order.events[-1].data
    assert isinstance(opened, Opened)
    assert opened.marketable is False
    assert meta_of(order.spec, order.events[1])["marketableAtEntry"] is False
    assert isinstance(expired, Expired)
    assert "minimum" in (expired.reason or "")
    assert "minimum" in meta_of(order.spec, order.events[-1])["reason"]
    assert bench.ledger.swaps_of(order_id) == []
    push(bench, 200)
    bench.engine.market.look()
    assert bench.order(order_id).seq == order.seq, "it is never open again"


def test_an_ioc_order_expires_if_the_price_moves_away_before_it_lands(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(90, time_in_force=TimeInForce.IOC, simulate="slippage:1"))
    bench.process_all()
    assert bench.statuses(order_id)[-3:] == ["submitted", "routing", "expired"]
    assert bench.ledger.swaps_of(order_id) == []


# --- launches in the past ----------------------------------------------------------------------------------


def test_a_sniper_order_for_a_traded_mint_is_refused(bench: Workbench) -> None:
    bench.engine.market.announce_launch(ANYONE, a_launch(bench))
    for spec in (a_sniper(BY_SYMBOL["JUP"].mint, token_out=BY_SYMBOL["JUP"]), a_sniper()):
        with pytest.raises(PoolAlreadyLiveError) as caught:
            accept(bench, spec)
        problem = problem_of(caught.value)
        assert (problem.status, problem.code) == (409, "POOL_ALREADY_LIVE")
    assert bench.orders.writes == 0


# --- the limit on open orders ------------------------------------------------------------------------------


def test_a_user_has_at_most_the_maximum_number_of_open_orders() -> None:
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

    bench.engine.cancel(ANYONE, orders[1])
    accept(bench, a_limit(150))


def test_an_order_that_triggers_at_entry_does_not_count_as_open() -> None:
    bench = a_workbench(max_open_orders_per_user=1)
    push(bench, 100)
    accept(bench, a_limit(150))
    for spec in (a_limit(50), a_limit(150, time_in_force=TimeInForce.IOC)):
        accept(bench, spec)
    bench.submit()
    with pytest.raises(TooManyOpenOrdersError):
        accept(bench, a_limit(160))


def test_an_order_that_triggers_makes_room_for_another_open_order() -> None:
    bench = a_workbench(max_open_orders_per_user=1)
    push(bench, 100)
    accept(bench, a_limit(150))
    push(bench, 200)
    assert accept(bench, a_limit(400))


def test_a_repeated_key_is_answered_although_the_user_is_at_the_open_order_limit() -> None:
    bench = a_workbench(max_open_orders_per_user=1)
    first = bench.engine.submit(ANYONE, a_limit(150), idempotency_key="k")
    assert bench.engine.submit(ANYONE, a_limit(150), idempotency_key="k").order_id == first.order_id
