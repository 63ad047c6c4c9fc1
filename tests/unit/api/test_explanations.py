"""The explanation on the wire: exact numbers, RFC 3339 times, and an order that cannot be found."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from chalice.test import Client

from chalicelib.api.responses.explanations import explanation_body
from chalicelib.codec.exact_json import dumps, loads
from chalicelib.codec.times import from_text
from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.spec import OrderSpec
from chalicelib.http import callers, explanations
from chalicelib.http.application import app
from tests.support.callers import ANYONE
from tests.support.explanations import Explaining, an_explaining_bench
from tests.support.open_orders import a_limit, accept
from tests.support.specs import a_spec

Get = Callable[[str], tuple[int, dict[str, Any]]]


@pytest.fixture
def world() -> Explaining:
    world = an_explaining_bench(venue_time_scale=Decimal(1))
    world.push(100)
    return world


@pytest.fixture
def get(world: Explaining, monkeypatch: pytest.MonkeyPatch) -> Iterator[Get]:
    """Get a path of the API; returns the status and the body."""
    for module in (callers, explanations):
        monkeypatch.setattr(module, "engine", lambda: world.bench.engine)
    with Client(app) as client:

        def request(path: str) -> tuple[int, dict[str, Any]]:
            answer = client.http.request("GET", path)
            return answer.status_code, loads(answer.body.decode())

        yield request


def test_a_filled_order_is_explained_with_its_quotes_and_amounts(world: Explaining, get: Get) -> None:
    order_id = world.bench.submit()
    world.bench.process_all()
    status, body = get(f"/api/orders/{order_id}/explain")
    assert status == 200
    assert (body["orderId"], body["status"], body["phase"], body["seq"]) == (order_id, "confirmed", "completed", 6)
    decision, [attempt] = body["decision"], body["attempts"]
    assert attempt["decisions"] == [decision]
    assert (decision["minAmountOut"], decision["minAmountOutBase"]) == (None, None)
    raydium, meteora = (part["quote"] for part in decision["venues"])
    gain = decision["gain"]
    assert gain["amountOut"] == raydium["amountOut"] - meteora["amountOut"]
    assert gain["amountOutBase"] == str(int(raydium["amountOutBase"]) - int(meteora["amountOutBase"]))
    assert decision["marginPct"] == gain["pct"] == round(gain["amountOut"] / meteora["amountOut"] * 100, 4)
    assert from_text(attempt["startedAt"]) <= from_text(decision["at"]) <= from_text(attempt["endedAt"])
    assert body["counterfactuals"] == []


def test_a_value_is_a_plain_number_or_a_time(world: Explaining) -> None:
    order_id = accept(world.bench, a_spec(amount_in=1))
    world.bench.process_all()
    assert '"value":0.00000001' in dumps(world.body(order_id))
    limit_id = accept(world.bench, a_limit(110))
    world.bench.clock.sleep(15)
    world.push_unseen(125, world.bench.clock.now_ms() - 12_000)
    [moment] = [one for one in world.body(limit_id)["counterfactuals"] if one["change"] == "moment"]
    assert from_text(str(moment["value"])) < world.bench.clock.now()
    assert moment["basis"] == "exact"


def test_an_unknown_order_is_not_found_and_a_malformed_id_is_refused(get: Get) -> None:
    status, problem = get("/api/orders/00000000-0000-4000-8000-000000000000/explain")
    assert (status, problem["code"]) == (404, "ORDER_NOT_FOUND")
    status, problem = get("/api/orders/none/explain")
    assert (status, problem["code"]) == (400, "MALFORMED_ID")


def test_the_replay_of_a_filled_order_checks_each_of_its_values(world: Explaining) -> None:
    order_id = world.bench.submit()
    world.bench.process_all()
    replay = world.body(order_id)["replay"]
    assert replay == {"matches": True, "checked": 20, "unknown": 0, "differences": []}


def test_the_replay_counts_what_it_cannot_check(world: Explaining) -> None:
    order_id = world.bench.submit()
    world.bench.process_all()
    world.push(101)
    world.bench.markets._replaced.clear()
    replay = world.body(order_id)["replay"]
    assert replay == {"matches": True, "checked": 0, "unknown": 2, "differences": []}


def test_the_replay_tells_each_difference(world: Explaining, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = world.bench.submit()
    world.bench.process_all()
    other = an_explaining_bench(venue_time_scale=Decimal(1), venue_seed="another")
    other.push(100)
    monkeypatch.setattr(other.bench.orders, "get", world.bench.orders.get)
    replay = explanation_body(other.bench.engine.explain(ANYONE, order_id))["replay"]
    assert (replay["matches"], replay["unknown"]) == (False, 0)
    assert replay["differences"][0].keys() == {"seq", "field", "kept", "computed"}


@pytest.mark.parametrize(
    "spec",
    [
        a_spec(simulate="slippage:3"),
        a_spec(simulate="landed_reply_lost:1"),
        a_spec(amount_in=1),
        a_limit(90),
        a_limit(150, time_in_force=TimeInForce.IOC),
    ],
)
def test_every_value_of_an_order_is_checked_and_matches(world: Explaining, spec: OrderSpec) -> None:
    order_id = accept(world.bench, spec)
    world.bench.process_all()
    world.push(101)
    replay = world.body(order_id)["replay"]
    assert (replay["matches"], replay["unknown"], replay["differences"]) == (True, 0, [])
    assert replay["checked"] > 0
