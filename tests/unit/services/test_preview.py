"""Previews: the route and the minimum output of an order, without a stored or executed order."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.api.responses.previews import preview_body
from chalicelib.codec.times import to_text
from chalicelib.domain.conditions import MAX_ORDER_LIFETIME, TimeInForce
from chalicelib.domain.errors import PoolAlreadyLiveError
from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.tokens import Side
from tests.support.callers import ANYONE
from tests.support.open_orders import a_launch, a_limit, a_sniper, best_output, push
from tests.support.specs import a_spec
from tests.support.workbench import Workbench, a_workbench


@pytest.fixture
def bench() -> Workbench:
    bench = a_workbench()
    push(bench, 100)
    return bench


def preview(bench: Workbench, spec: OrderSpec) -> dict[str, Any]:
    """The body of the answer to a preview request."""
    return preview_body(bench.engine.preview(ANYONE, spec), bench.engine.rules.describe_fault)


def test_a_market_order_has_its_route_and_its_minimum_output(bench: Workbench) -> None:
    found = preview(bench, a_spec(slippage_bps=100))
    quoted = best_output(bench, a_spec())
    assert int(found["amountOutBase"]) == quoted
    assert int(found["minAmountOutBase"]) == quoted * 99 // 100
    assert found[f"{found['chosen'][0]}Quote"]["amountOutBase"] == str(quoted)
    assert f"no less than {found['minAmountOut']}" in found["summary"]
    assert "marketableAtEntry" not in found


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("price", "sells"), [(50, True), (200, False)])
def test_a_preview_shows_whether_a_limit_order_would_fill_at_once(
    bench: Workbench, side: Side, price: int, sells: bool
) -> None:
    spec = a_limit(price, side)
    found = preview(bench, spec)
    marketable = sells == (side is Side.SELL)
    assert found["marketableAtEntry"] is marketable
    assert found["minAmountOutBase"] == str(spec.limit_min_out)
    assert ("at once" in found["summary"]) is marketable
    assert (found["timeInForce"], found["expiresAt"]) == ("GTC", to_text(bench.clock.now() + MAX_ORDER_LIFETIME))


def test_a_limit_order_gets_no_warning_about_its_tolerance(bench: Workbench) -> None:
    codes = [warning["code"] for warning in preview(bench, a_limit(50, slippage_bps=5000))["warnings"]]
    assert "HIGH_SLIPPAGE" not in codes


def test_an_ioc_order_has_no_expiry(bench: Workbench) -> None:
    found = preview(bench, a_limit(150, time_in_force=TimeInForce.IOC))
    assert (found["marketableAtEntry"], found["expiresAt"]) == (False, None)
    assert "or not at all" in found["summary"]


def test_an_order_with_a_date_has_that_expiry(bench: Workbench) -> None:
    until = bench.clock.now() + timedelta(hours=1)
    found = preview(bench, a_limit(150, time_in_force=TimeInForce.GTD, expires_at=until))
    assert (found["timeInForce"], found["expiresAt"]) == ("GTD", to_text(until))


def test_a_sniper_order_has_its_launch_in_the_summary(bench: Workbench) -> None:
    spec = a_sniper(venue="meteora", max_price=Decimal("0.002"))
    found = preview(bench, spec)
    assert found["minAmountOutBase"] == str(spec.limit_min_out) == "500000000"
    assert (found["rQuote"], found["mQuote"], found["amountOut"]) == (None, None, None)
    assert "on meteora" in found["summary"]
    assert preview(bench, a_sniper())["minAmountOut"] is None


def test_a_preview_refuses_the_orders_that_the_engine_refuses(bench: Workbench) -> None:
    bench.engine.market.announce_launch(ANYONE, a_launch(bench))
    with pytest.raises(PoolAlreadyLiveError):
        preview(bench, a_sniper())


@pytest.mark.parametrize(
    ("amount", "code"), [(20_000 * 10**9, "PRICE_IMPACT_TOO_HIGH"), (1, "NO_LIQUIDITY")], ids=["large", "dust"]
)
def test_the_preview_of_an_order_that_would_fail_says_so(bench: Workbench, amount: int, code: str) -> None:
    found = preview(bench, a_spec(amount_in=amount))
    assert (found["chosen"], found["rQuote"], found["amountOut"], found["minAmountOut"]) == (None,) * 4
    assert [warning["code"] for warning in found["warnings"]] == [code]
    assert "would fail now" in found["summary"]
    assert "would fail now" in found["warnings"][0]["message"]


def test_a_preview_without_an_answer_of_any_venue_is_refused() -> None:
    with pytest.raises(AttemptFailedError) as caught:
        preview(a_workbench(venue_fault="network_error:1"), a_spec())
    assert caught.value.code is FailureCode.NETWORK_ERROR


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("network_error:1", "it fails with NETWORK_ERROR in the first attempt"),
        ("venue_timeout:3", "it fails with VENUE_TIMEOUT in each of the first 3 attempts"),
        ("stale_quote:2", "STALE_QUOTE"),
        ("slippage:2", "SLIPPAGE_EXCEEDED"),
        ("tx_dropped:2", "TX_DROPPED"),
        ("landed_reply_lost:1", "the swap lands in the first attempt, its answer is lost"),
        ("no_liquidity", "the order fails"),
        ("venue_down:raydium", "raydium does not answer"),
        ("slow:500", "500 ms longer"),
    ],
)
@pytest.mark.parametrize("spec", [a_spec(), a_limit(50)], ids=["market", "limit"])
def test_a_preview_says_what_a_fault_would_do_and_does_not_fail_by_it(
    bench: Workbench, spec: OrderSpec, fault: str, words: str
) -> None:
    found = preview(bench, replace(spec, simulate=fault))
    warning = found["warnings"][-1]
    assert warning["code"] == "SIMULATED_FAULT"
    assert words in warning["message"]
    assert found["chosen"]
    assert found["degraded"] is (fault == "venue_down:raydium")


@pytest.mark.parametrize(
    "spec",
    [a_spec(amount_in=100), a_limit("0.0000001", amount_in=10**6), a_sniper(paid=123)],
    ids=lambda one: one.type,
)
def test_a_summary_has_no_exponents(bench: Workbench, spec: OrderSpec) -> None:
    assert not re.search(r"\dE[-+]?\d", preview(bench, spec)["summary"])


def test_a_limit_order_that_no_venue_can_fill_now_would_stay_open(bench: Workbench) -> None:
    spec = a_limit(50, amount_in=20_000 * 10**9)
    found = preview(bench, spec)
    assert (found["chosen"], found["marketableAtEntry"], found["timeInForce"]) == (None, False, "GTC")
    assert found["minAmountOutBase"] == str(spec.limit_min_out)
    assert [warning["code"] for warning in found["warnings"]] == ["PRICE_IMPACT_TOO_HIGH"]
    assert "not at all" in preview(bench, replace(spec, time_in_force=TimeInForce.IOC))["summary"]


@pytest.mark.parametrize("spec", [a_spec(), a_limit(50), a_limit(150), a_sniper()])
def test_a_preview_stores_queues_and_watches_nothing(bench: Workbench, spec: OrderSpec) -> None:
    preview(bench, spec)
    assert (bench.orders.writes, bench.order_queue.bodies) == (0, [])
    assert bench.markets.watch_entries(bench.clock.now_ms()) == []
