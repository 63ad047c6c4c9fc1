"""A third venue is one file and one line in the registry, which all other modules read.

The market has the profile ``flat``, in which the venue with the lowest fee wins.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from chalice.test import Client

from chalicelib.api.meta import meta_of
from chalicelib.api.responses.operations import stats_body
from chalicelib.api.responses.previews import preview_body
from chalicelib.api.responses.records import record_of
from chalicelib.codec.exact_json import dumps, loads
from chalicelib.domain.conditions import LaunchWatch
from chalicelib.domain.events import LaunchTriggered, PriceTriggered, QuotesReceived
from chalicelib.domain.failures import FailureCode
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.history.rows import order_row
from chalicelib.http import callers, explanations, market, orders
from chalicelib.http.application import app
from chalicelib.ports.streams import Subscriber
from chalicelib.simulation import venues
from chalicelib.simulation.faults import describe_fault
from tests.support.callers import ANYONE
from tests.support.open_orders import MINT, a_launch, a_limit, a_sniper, accept, push
from tests.support.orca import Orca
from tests.support.specs import a_spec
from tests.support.workbench import Workbench, a_workbench

NAMES = ("raydium", "meteora", "orca")
QUOTES = ("rQuote", "mQuote", "oQuote")

Call = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Workbench:
    monkeypatch.setattr(venues, "VENUES", (*venues.VENUES, Orca))
    bench = a_workbench(venue_profile="flat")
    push(bench, 100)
    return bench


@pytest.fixture
def call(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Call an HTTP route of the engine; returns the status and the body of the answer."""
    for module in (callers, explanations, orders, market):
        monkeypatch.setattr(module, "engine", lambda: bench.engine)
    with Client(app) as client:

        def request(method: str, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
            headers = {"Content-Type": "application/json"}
            answer = client.http.request(method, path, headers, dumps(body).encode() if body else b"")
            return answer.status_code, loads(answer.body.decode())

        yield request


def filled(bench: Workbench, order_id: str) -> Order:
    bench.process_all()
    order = bench.order(order_id)
    assert order.status is Status.CONFIRMED
    return order


def decision_of(order: Order) -> QuotesReceived:
    assert order.quotes is not None
    return order.quotes


# --- market orders -----------------------------------------------------------------------------------------


def test_a_market_order_trades_on_the_new_venue(bench: Workbench) -> None:
    order = filled(bench, bench.submit())
    assert order.venue == "orca"
    assert [fill.venue for fill in bench.ledger.swaps_of(order.order_id)] == ["orca"]
    decision = decision_of(order)
    assert [answer.venue for answer in decision.answers] == list(NAMES)
    assert all(answer.quote for answer in decision.answers)
    assert (decision.chosen, decision.is_degraded) == ("orca", False)
    assert meta_of(order.spec, order.events[-1])["dex"] == "orca"


def test_frames_carry_the_quote_of_the_new_venue(bench: Workbench) -> None:
    order = filled(bench, bench.submit(Subscriber("me")))
    routed = bench.sockets.frames["me"][2]["meta"]
    assert list(routed) == [*QUOTES, "chosen", "reason", "degraded"]
    assert routed["chosen"] == "orca"
    quote = decision_of(order).quote_of("orca")
    assert quote is not None
    assert routed["oQuote"]["amountOutBase"] == str(quote.amount_out)
    assert [frame["meta"].get("dex") for frame in bench.sockets.frames["me"]][3:] == ["orca"] * 3


def test_the_record_the_events_and_the_list_name_the_new_venue(bench: Workbench, call: Call) -> None:
    order_id = filled(bench, bench.submit()).order_id
    status, record = call("GET", f"/api/orders/{order_id}")
    assert (status, record["dexUsed"], record["quotes"]["chosen"]) == (200, "orca", "orca")
    assert set(QUOTES) < set(record["quotes"])
    assert call("GET", "/api/orders") == (200, {"orders": [record], "nextCursor": None})
    _, body = call("GET", f"/api/orders/{order_id}/events")
    assert [event["seq"] for event in body["events"] if set(QUOTES) <= set(event["meta"])] == [3]
    assert body["events"][-1]["meta"]["dex"] == "orca"


def test_the_row_of_the_history_compares_the_quotes_of_all_venues(bench: Workbench) -> None:
    order = filled(bench, bench.submit())
    outputs = [answer.quote.amount_out for answer in decision_of(order).answers if answer.quote]
    assert len(outputs) == 3
    assert order_row(order)["gain_pct"] == round((Decimal(max(outputs)) / min(outputs) - 1) * 100, 8)


def test_statistics_count_the_new_venue_and_compare_the_quotes_of_all_three(bench: Workbench, call: Call) -> None:
    order = filled(bench, bench.submit())
    elsewhere = filled(bench, bench.submit(simulate="venue_down:orca"))
    assert elsewhere.venue in ("raydium", "meteora")
    outputs = [
        [answer.quote.amount_out for answer in decision_of(one).answers if answer.quote] for one in (order, elsewhere)
    ]
    assert [len(quoted) for quoted in outputs] == [3, 2]
    gains = [(Decimal(max(quoted)) / min(quoted) - 1) * 100 for quoted in outputs]
    status, body = call("GET", "/api/stats")
    assert status == 200
    assert body["execution"]["venues"] == {"orca": 1, elsewhere.venue: 1}
    assert body["execution"]["routingGainPct"] == {"average": round(sum(gains, Decimal()) / 2, 4)}
    assert loads(dumps(stats_body(bench.engine.stats(ANYONE)))) == body


# --- previews and quotes -----------------------------------------------------------------------------------


def test_the_preview_of_a_market_order_is_routed_to_the_new_venue(bench: Workbench) -> None:
    body = preview_body(bench.engine.preview(ANYONE, a_spec()), describe_fault)
    assert body["chosen"] == "orca"
    assert body["oQuote"]["amountOutBase"] == body["amountOutBase"]
    assert "on orca" in body["summary"]


def test_the_preview_of_a_sniper_order_lists_the_new_venue_without_a_quote(bench: Workbench) -> None:
    body = preview_body(bench.engine.preview(ANYONE, a_sniper(venue="orca")), describe_fault)
    assert {name: body[name] for name in QUOTES} == dict.fromkeys(QUOTES)
    assert "on orca" in body["summary"]


def test_the_quotes_route_shows_the_new_venue(call: Call) -> None:
    status, body = call("GET", "/api/quotes?tokenIn=SOL&tokenOut=USDC&amountIn=2")
    assert status == 200
    assert list(body) == [*QUOTES, "chosen", "reason", "degraded"]
    assert body["chosen"] == "orca"
    assert Decimal(body["oQuote"]["amountOut"]) > max(body["rQuote"]["amountOut"], body["mQuote"]["amountOut"])


# --- simulated faults --------------------------------------------------------------------------------------

ORDER = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "2"}


def test_a_client_can_take_the_new_venue_down(bench: Workbench, call: Call) -> None:
    status, accepted = call("POST", "/api/orders/execute", **ORDER, simulate="venue_down:orca")
    assert status == 202
    order = filled(bench, accepted["orderId"])
    assert order.venue in ("raydium", "meteora")
    [failure] = [answer.failure for answer in decision_of(order).answers if answer.venue == "orca"]
    assert failure is not None
    assert failure.code is FailureCode.VENUE_UNAVAILABLE
    quotes = record_of(order)["quotes"]
    assert quotes is not None
    assert (quotes["oQuote"], quotes["degraded"]) == (None, True)
    assert quotes["errors"] == {"orca": {"code": "VENUE_UNAVAILABLE", "reason": "orca is down"}}


def test_the_message_about_an_unknown_fault_lists_the_new_venue(call: Call) -> None:
    status, problem = call("POST", "/api/orders/execute", **ORDER, simulate="venue_down:phoenix")
    [error] = problem["errors"]
    assert (status, error["field"], error["code"]) == (422, "simulate", "SIMULATE_UNKNOWN")
    assert "venue_down:raydium|meteora|orca" in error["message"]


def test_a_deployment_can_take_the_new_venue_down(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="VENUE_FAULT"):
        a_workbench(venue_fault="venue_down:orca")
    monkeypatch.setattr(venues, "VENUES", (*venues.VENUES, Orca))
    bench = a_workbench(venue_profile="flat", venue_fault="venue_down:orca")
    assert filled(bench, bench.submit()).venue != "orca"


def test_an_explanation_compares_the_new_venue_with_the_best_of_the_others(bench: Workbench, call: Call) -> None:
    order = filled(bench, bench.submit())
    status, body = call("GET", f"/api/orders/{order.order_id}/explain")
    assert status == 200
    decision = body["decision"]
    assert [part["venue"] for part in decision["venues"]] == list(NAMES)
    assert all(part["arithmetic"] for part in decision["venues"])
    assert (decision["chosen"], decision["rule"]) == ("orca", "BEST_OUTPUT")
    outputs = {part["venue"]: part["quote"]["amountOut"] for part in decision["venues"]}
    against = max(("raydium", "meteora"), key=lambda venue: outputs[venue])
    gain = decision["gain"]
    assert (gain["against"], gain["amountOut"]) == (against, outputs["orca"] - outputs[against])
    assert decision["reason"] in body["summary"]


# --- launches ----------------------------------------------------------------------------------------------


def test_a_sniper_order_for_the_new_venue_buys_from_a_pool_that_is_created_there(
    bench: Workbench, call: Call
) -> None:
    status, accepted = call(
        "POST", "/orders", type="sniper", tokenIn="SOL", tokenOut=MINT, amountIn="1", launch={"venue": "orca"}
    )
    assert status == 202
    order_id = accepted["orderId"]
    pool = {"type": "pool_created", "mint": MINT, "price": "0.001", "liquidity": "1000", "quote": "SOL"}
    assert call("POST", "/api/market/events", **pool, venue="raydium")[0] == 202
    assert bench.order(order_id).wait_reason == "launched on raydium, not on orca"
    assert call("POST", "/api/market/events", **pool, venue="orca") == (202, {"accepted": True, "duplicate": False})
    trigger = bench.order(order_id).events[-1]
    assert isinstance(trigger.data, LaunchTriggered)
    assert trigger.data.launch.venue == "orca"
    assert meta_of(bench.order(order_id).spec, trigger)["launch"]["venue"] == "orca"
    order = filled(bench, order_id)
    assert order.venue == "orca"
    assert [answer.venue for answer in decision_of(order).answers if answer.quote] == ["orca"]
    # The output of 1 SOL at 0.001 per token, less the fee and its own price impact of 0.1 %.
    assert order.amount_out is not None
    assert 998 * 10**6 < order.amount_out < 1000 * 10**6


def test_a_sniper_order_for_any_venue_buys_from_a_pool_of_the_new_one(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper())
    assert bench.engine.market.announce_launch(ANYONE, a_launch(bench, venue="orca"))
    assert filled(bench, order_id).venue == "orca"


@pytest.mark.parametrize("registered", [True, False])
def test_market_events_and_filters_accept_the_registered_venues_only(call: Call, registered: bool) -> None:
    venue = "orca" if registered else "phoenix"
    event = call("POST", "/api/market/events", type="pool_created", mint=MINT, venue=venue)
    order = call(
        "POST", "/orders", type="sniper", tokenIn="SOL", tokenOut="1" * 32, amountIn="1", launch={"venue": venue}
    )
    assert [status for status, _ in (event, order)] == ([202, 202] if registered else [422, 422])
    if not registered:
        for _, problem in (event, order):
            [error] = problem["errors"]
            assert error["code"] == "VENUE_UNKNOWN"
            assert "orca" in error["message"]


def test_simulated_launches_use_the_new_venue_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(venues, "VENUES", (*venues.VENUES, Orca))
    source = a_workbench(simulated_launch_seconds=60).engine.market.launch_source
    launches = [source.launch_of(LaunchWatch(f"mint {number}"), 0, 60_000) for number in range(50)]
    assert {launch.venue for launch in launches if launch} == set(NAMES)


# --- limit orders ------------------------------------------------------------------------------------------


def test_a_limit_order_triggers_and_fills_on_the_new_venue(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    assert push(bench, 120) == 1
    trigger = bench.order(order_id).events[-1]
    assert isinstance(trigger.data, PriceTriggered)
    assert trigger.data.venue == "orca"
    assert meta_of(bench.order(order_id).spec, trigger)["dex"] == "orca"
    assert filled(bench, order_id).venue == "orca"
