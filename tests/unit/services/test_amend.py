"""Amendment of open orders: the new terms trigger the order, and the old terms no longer do."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.api.meta import meta_of
from chalicelib.api.problems import Problem, problem_of
from chalicelib.api.responses.records import OrderRecord, order_record, record_of
from chalicelib.codec.times import to_text
from chalicelib.domain.conditions import (
    MAX_AMENDMENTS,
    MAX_MISSES_WITHOUT_PAUSE,
    MAX_ORDER_LIFETIME,
    MAX_STORED_REFUSALS,
    Amendment,
    TimeInForce,
)
from chalicelib.domain.errors import (
    AmendedTooOftenError,
    BrokenRule,
    BrokenRulesError,
    NotAmendableError,
    OrderMovedOnError,
    OrderNotFoundError,
    Rule,
)
from chalicelib.domain.events import Amended
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.ports.history import OrderFilter
from chalicelib.ports.market import PushedPrice
from chalicelib.ports.streams import Subscriber
from tests.support.callers import ANYONE
from tests.support.open_orders import a_launch, a_limit, a_sniper, accept, push
from tests.support.workbench import Workbench, a_workbench


@pytest.fixture
def bench() -> Workbench:
    bench = a_workbench()
    push(bench, 100)
    return bench


def amend(bench: Workbench, order_id: str, seq: int | None = None, **changes: Any) -> Order:
    return bench.engine.amend(ANYONE, order_id, Amendment(**changes), None if seq is None else {seq})


def listed(bench: Workbench, order_id: str) -> OrderRecord:
    [found] = [one for one in bench.history.page(OrderFilter(), 10, None).orders if one.order_id == order_id]
    return order_record(found)


def field_errors(problem: Problem) -> list[tuple[str, str]]:
    return [(error.field, error.code.value) for error in problem.errors]


def test_an_amended_price_triggers_the_order_and_the_old_one_does_not(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    order = amend(bench, order_id, limit_price=Decimal(130))
    assert (order.seq, order.status) == (3, Status.OPEN)
    assert (order.spec.limit_price, order.min_amount_out) == (Decimal(130), 260_000_000)
    event = order.events[-1].data
    assert isinstance(event, Amended)
    assert (event.changes, event.terms.min_amount_out) == (Amendment(limit_price=Decimal(130)), 260_000_000)
    meta = meta_of(order.spec, order.events[-1])
    assert meta["amended"] == {"limitPrice": Decimal(130)}
    assert meta["minAmountOutBase"] == "260000000"
    assert push(bench, 120) == 0
    assert push(bench, 140) == 1
    bench.process_all()
    done = bench.order(order_id)
    assert done.status is Status.CONFIRMED
    assert done.amount_out is not None
    assert done.amount_out >= 260_000_000


def test_an_amendment_that_changes_nothing_adds_no_event(bench: Workbench) -> None:
    expires_at = bench.clock.now() + timedelta(days=1)
    spec = a_limit(110, time_in_force=TimeInForce.GTD, expires_at=expires_at)
    order_id = accept(bench, spec)
    before, writes = bench.order(order_id), bench.orders.writes
    for changes in (
        {"limit_price": Decimal("110.00")},
        {"slippage_bps": spec.slippage_bps},
        {"expires_at": expires_at},
        {"limit_price": Decimal(110), "slippage_bps": spec.slippage_bps, "expires_at": expires_at},
    ):
        assert amend(bench, order_id, **changes) == before
    assert (bench.order(order_id), bench.orders.writes) == (before, writes)
    with pytest.raises(OrderMovedOnError):
        amend(bench, order_id, before.seq - 1, limit_price=Decimal(110))
    assert amend(bench, order_id, slippage_bps=7).seq == before.seq + 1


def test_an_amendment_to_a_price_that_the_market_meets_triggers_at_once(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    amend(bench, order_id, limit_price=Decimal(90))
    assert bench.statuses(order_id) == ["pending", "open", "open", "triggered"]
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_an_amended_tolerance_keeps_the_minimum_output_of_a_limit_order(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    order = amend(bench, order_id, slippage_bps=7)
    assert (order.spec.slippage_bps, order.spec.limit_price, order.min_amount_out) == (7, Decimal(110), 220_000_000)


def test_a_sniper_order_trades_with_its_amended_tolerance(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper())
    amend(bench, order_id, slippage_bps=500)
    bench.engine.market.announce_launch(ANYONE, a_launch(bench))
    bench.process_all()
    order = bench.order(order_id)
    assert order.status is Status.CONFIRMED
    assert order.min_amount_out == (order.amount_out or 0) * 95 // 100


def test_an_amendment_moves_the_expiry_either_way(bench: Workbench) -> None:
    began = bench.clock.now()
    later, sooner = (
        accept(bench, a_limit(110, time_in_force=TimeInForce.GTD, expires_at=began + timedelta(hours=hours)))
        for hours in (1, 5)
    )
    assert amend(bench, later, expires_at=began + timedelta(hours=3)).expires_at == began + timedelta(hours=3)
    amend(bench, sooner, expires_at=began + timedelta(hours=2))
    statuses = []
    for _ in range(3):
        bench.clock.sleep(3600)
        bench.engine.market.look()
        statuses.append([bench.order(one).current_status.value for one in (later, sooner)])
    assert statuses == [["open", "open"], ["open", "expired"], ["expired", "expired"]]


def test_an_amended_expiry_turns_a_gtc_order_into_a_gtd_order(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    amend(bench, order_id, expires_at=bench.clock.now() + timedelta(hours=1))
    for record in (record_of(bench.order(order_id)), listed(bench, order_id)):
        assert record["timeInForce"] == "GTD"


def test_an_amendment_keeps_the_reason_of_a_refused_launch(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper(venue="meteora"))
    bench.engine.market.announce_launch(ANYONE, a_launch(bench))
    amend(bench, order_id, slippage_bps=500)
    assert record_of(bench.order(order_id))["waitReason"] == "launched on raydium, not on meteora"


def test_a_refused_amendment_names_every_broken_rule(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper())
    bench.clock.sleep(86_400)
    with pytest.raises(BrokenRulesError) as caught:
        amend(bench, order_id, limit_price=Decimal(1), expires_at=bench.clock.now() + MAX_ORDER_LIFETIME)
    assert caught.value.broken == (
        BrokenRule("limit_price", Rule.PRICE_FOR_LIMIT_ORDERS_ONLY),
        BrokenRule("expires_at", Rule.EXPIRES_WITHIN_THE_MAX_LIFETIME),
    )
    assert field_errors(problem_of(caught.value)) == [
        ("limitPrice", "NOT_FOR_TYPE"),
        ("expiresAt", "EXPIRY_TOO_FAR"),
    ]


def test_an_amendment_extends_the_lifetime_to_at_most_thirty_days_in_total(bench: Workbench) -> None:
    began = bench.clock.now()
    order_id = accept(bench, a_limit(110))
    bench.clock.sleep(86_400)
    amend(bench, order_id, expires_at=began + MAX_ORDER_LIFETIME)
    with pytest.raises(BrokenRulesError) as caught:
        amend(bench, order_id, expires_at=began + MAX_ORDER_LIFETIME + timedelta(milliseconds=1))
    assert caught.value.broken == (BrokenRule("expires_at", Rule.EXPIRES_WITHIN_THE_MAX_LIFETIME),)
    assert field_errors(problem_of(caught.value)) == [("expiresAt", "EXPIRY_TOO_FAR")]
    assert bench.order(order_id).spec.expires_at == began + MAX_ORDER_LIFETIME


def test_the_watch_list_covers_an_order_until_its_amended_expiry() -> None:
    bench = a_workbench()
    push(bench, 100)
    soon = bench.clock.now() + timedelta(hours=1)
    order_id = accept(bench, a_limit(110, time_in_force=TimeInForce.GTD, expires_at=soon))
    amend(bench, order_id, expires_at=bench.clock.now() + MAX_ORDER_LIFETIME)
    bench.clock.sleep(20 * 86_400)
    bench.markets.push_price(a_limit().pair, PushedPrice(Decimal(130), bench.clock.now_ms()))
    assert bench.engine.market.look() == 1


def test_the_record_and_the_list_show_the_amended_terms(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    until = bench.clock.now() + timedelta(hours=1)
    order = amend(bench, order_id, limit_price=Decimal("130.5"), expires_at=until)
    for record in (record_of(order), record_of(bench.order(order_id)), listed(bench, order_id)):
        assert record["limitPrice"] == Decimal("130.5")
        assert record["expiresAt"] == to_text(until)
        assert record["minAmountOut"] == 261
        assert record["seq"] == 3


def test_a_subscriber_receives_each_amendment_once(bench: Workbench) -> None:
    order_id = bench.engine.submit(ANYONE, a_limit(110), subscriber=Subscriber("me")).order_id
    amend(bench, order_id, limit_price=Decimal(120))
    amend(bench, order_id, limit_price=Decimal(90))
    assert bench.sockets.updates("me") == [(1, "pending"), (2, "open"), (3, "open"), (4, "open"), (5, "triggered")]
    assert bench.sockets.frames["me"][2]["meta"]["amended"] == {"limitPrice": 120}


# --- refused amendments ------------------------------------------------------------------------------------


def test_an_amendment_that_names_an_older_seq_is_refused(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    amend(bench, order_id, 2, limit_price=Decimal(120))
    with pytest.raises(OrderMovedOnError) as caught:
        amend(bench, order_id, 2, limit_price=Decimal(115))
    problem = problem_of(caught.value)
    assert (problem.status, problem.code) == (412, "ORDER_MOVED_ON")
    assert problem.verdict == {"outcome": "moved_on", "status": "open", "seq": 3}
    assert bench.order(order_id).spec.limit_price == 120


@pytest.mark.parametrize("end", ["triggered", "cancelled", "confirmed", "expired", "due"])
def test_only_an_open_order_can_be_amended(bench: Workbench, end: str) -> None:
    until = bench.clock.now() + timedelta(hours=1)
    order_id = accept(bench, a_limit(110, time_in_force=TimeInForce.GTD, expires_at=until))
    if end == "cancelled":
        bench.engine.cancel(ANYONE, order_id)
    elif end in ("expired", "due"):
        bench.clock.sleep(3600)
        if end == "expired":
            bench.engine.market.look()
    else:
        push(bench, 130)
        if end == "confirmed":
            bench.process_all()
    before = bench.order(order_id)
    with pytest.raises(NotAmendableError) as caught:
        amend(bench, order_id, limit_price=Decimal(120))
    problem = problem_of(caught.value)
    assert (problem.status, problem.code) == (409, "NOT_AMENDABLE")
    # An order whose expiry has passed counts as expired before the watcher writes that.
    status = "expired" if end == "due" else end
    assert problem.verdict == {"outcome": "not_open", "status": status, "seq": before.seq}
    assert bench.order(order_id) == before


def test_a_market_order_cannot_be_amended(bench: Workbench) -> None:
    with pytest.raises(NotAmendableError):
        amend(bench, bench.submit(), slippage_bps=1)


@pytest.mark.parametrize(
    ("kind", "price", "rule", "code"),
    [
        ("limit", "0.0000001", Rule.PRICE_LEAVES_AN_OUTPUT, "PRICE_OUT_OF_REACH"),
        ("sniper", "1", Rule.PRICE_FOR_LIMIT_ORDERS_ONLY, "NOT_FOR_TYPE"),
    ],
)
def test_terms_that_an_order_cannot_have_are_refused(
    bench: Workbench, kind: str, price: str, rule: Rule, code: str
) -> None:
    order_id = accept(bench, a_limit(110) if kind == "limit" else a_sniper())
    with pytest.raises(BrokenRulesError) as caught:
        amend(bench, order_id, limit_price=Decimal(price))
    assert caught.value.broken == (BrokenRule("limit_price", rule),)
    assert field_errors(problem_of(caught.value)) == [("limitPrice", code)]
    assert problem_of(caught.value).status == 422
    assert bench.order(order_id).seq == 2


def test_an_amendment_of_an_unknown_order_is_refused(bench: Workbench) -> None:
    with pytest.raises(OrderNotFoundError):
        amend(bench, "5c0ffee0-0000-4000-8000-000000000001", slippage_bps=1)


def test_an_order_with_the_maximum_of_amendments_takes_no_further_one_but_still_fills(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    for number in range(MAX_AMENDMENTS):
        amend(bench, order_id, slippage_bps=number + 2)
    with pytest.raises(AmendedTooOftenError) as caught:
        amend(bench, order_id, slippage_bps=1)
    assert problem_of(caught.value).status == 409
    push(bench, 130)
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_launches_that_an_order_refuses_use_up_none_of_its_amendments(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper(venue="meteora"))
    for number in range(300):
        bench.engine.market.announce_launch(ANYONE, a_launch(bench, pool=f"pool {number}"))
    assert bench.order(order_id).seq == 2 + MAX_STORED_REFUSALS
    for number in range(MAX_AMENDMENTS):
        amend(bench, order_id, slippage_bps=number + 2)
    assert bench.order(order_id).seq == 2 + MAX_STORED_REFUSALS + MAX_AMENDMENTS
    bench.engine.market.announce_launch(ANYONE, a_launch(bench, venue="meteora"))
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_triggers_that_miss_use_up_none_of_the_amendments(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110, simulate="slippage:200"))
    push(bench, 130)
    for _ in range(MAX_AMENDMENTS // 2):
        bench.process_all()
        bench.clock.sleep(6 * 3600)
        push(bench, 130)
    bench.process_all()
    assert bench.order(order_id).seq > 300
    amend(bench, order_id, limit_price=Decimal(500))
    assert bench.order(order_id).amendments == 1


def test_an_order_that_missed_often_pauses_also_after_an_amendment(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110, simulate="slippage:1000"))
    for number in range(MAX_AMENDMENTS):
        push(bench, 130)
        bench.process_all()
        amend(bench, order_id, slippage_bps=number + 2)
        bench.process_all()
    assert bench.order(order_id).missed_triggers == MAX_MISSES_WITHOUT_PAUSE
