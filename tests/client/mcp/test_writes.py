"""A write is a preview unless it says execute, and has its effect once however often it is called."""

from typing import Any
from uuid import UUID

import pytest

from tests.client.mcp.conftest import Agent

ORDER = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5"}
LIMIT = {**ORDER, "type": "limit", "limitPrice": "300"}
TRIES = 5


def _resting(agent: Agent) -> str:
    return str(agent.go_on(agent.answer("executeOrder", body=LIMIT))["answer"]["orderId"])


def test_without_execute_nothing_is_placed(agent: Agent, engine: Any) -> None:
    shown = agent.answer("executeOrder", body=ORDER)
    assert shown["executed"] is False
    assert shown["preview"]["amountOut"].startswith("1")
    assert shown["request"]["path"] == "/api/orders/execute"
    assert shown["request"]["body"] == {**ORDER, "userId": "bot-1"}
    assert shown["request"]["headers"]["idempotency-key"] == shown["next"]["arguments"]["idempotencyKey"]
    assert not engine.orders


def test_the_call_of_a_preview_places_one_order_however_often_it_is_made(agent: Agent, engine: Any) -> None:
    shown = agent.answer("executeOrder", body=ORDER)
    first, second = agent.go_on(shown), agent.go_on(shown)
    assert (first["executed"], first["status"]) == (True, 202)
    assert second["replayed"] is True
    assert first["answer"]["orderId"] == second["answer"]["orderId"]
    assert len(engine.orders) == 1


def test_an_order_with_a_key_of_the_agents_own_keeps_it(agent: Agent) -> None:
    shown = agent.answer("executeOrder", body=ORDER, idempotencyKey="mine")
    assert shown["next"]["arguments"]["idempotencyKey"] == "mine"


def test_an_order_without_a_key_is_not_executed(agent: Agent, engine: Any) -> None:
    assert agent.refusal("executeOrder", body=ORDER, execute=True)["code"] == "PREVIEW_FIRST"
    assert not engine.orders


def test_a_lost_answer_says_how_to_settle_it(agent: Agent, engine: Any) -> None:
    shown = agent.answer("executeOrder", body=ORDER)
    engine.lose_answers(TRIES)
    lost = agent.refusal("executeOrder", **shown["next"]["arguments"])
    assert (lost["code"], lost["executed"]) == ("OUTCOME_UNKNOWN", "unknown")
    assert len(engine.orders) == 1
    settled = agent.go_on(lost)
    assert settled["replayed"] is True
    assert [UUID(settled["answer"]["orderId"])] == [UUID(str(one)) for one in engine.orders]


@pytest.mark.parametrize("order_id", ["", ".", "..", "x/../..", "x?userId=bot-1"])
def test_what_is_no_id_cancels_nothing(agent: Agent, engine: Any, order_id: str) -> None:
    rests = _resting(agent)
    for execute in (False, True):
        refused = agent.refusal("cancelOrder", orderId=order_id, execute=execute)
        assert refused["code"] == "INVALID_ARGUMENT"
    assert engine.orders[rests].status == "open"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("cancelOrders", {"userId": "bot-1"}),
        ("postMarketEvent", {"body": {"type": "price", "pair": "SOL/USDC", "price": "1"}}),
    ],
)
def test_a_write_that_no_key_guards_promises_no_harmless_repeat(
    agent: Agent, engine: Any, tool: str, arguments: dict[str, Any]
) -> None:
    shown = agent.answer(tool, **arguments)
    assert "each time" in shown["detail"]
    engine.lose_answers(TRIES)
    lost = agent.refusal(tool, **shown["next"]["arguments"])
    assert lost["code"] == "OUTCOME_UNKNOWN"
    assert "nothing again" not in lost["detail"]


def test_an_amendment_shows_what_would_change(agent: Agent) -> None:
    order_id = _resting(agent)
    shown = agent.answer("amendOrder", orderId=order_id, body={"limitPrice": "310"})
    assert shown["changes"] == {"limitPrice": {"from": 300, "to": "310"}}
    assert shown["next"]["arguments"]["ifMatch"] == f'"{shown["present"]["seq"]}"'
    assert agent.answer("getOrder", orderId=order_id)["limitPrice"] == 300
    assert agent.go_on(shown)["answer"]["limitPrice"] == 310


def test_an_amendment_is_applied_once(agent: Agent) -> None:
    shown = agent.answer("amendOrder", orderId=_resting(agent), body={"limitPrice": "310"})
    agent.go_on(shown)
    again = agent.refusal("amendOrder", **shown["next"]["arguments"])
    assert (again["code"], again["verdict"]["outcome"]) == ("ORDER_MOVED_ON", "moved_on")


def test_a_cancel_shows_the_order_first(agent: Agent) -> None:
    order_id = _resting(agent)
    shown = agent.answer("cancelOrder", orderId=order_id)
    assert shown["present"]["status"] == "open"
    assert agent.answer("getOrder", orderId=order_id)["status"] == "open"
    assert agent.go_on(shown)["answer"]["outcome"] == "cancelled"


def test_a_cancel_of_all_shows_the_orders_that_can_be_cancelled(agent: Agent) -> None:
    over, rests = _resting(agent), _resting(agent)
    agent.go_on(agent.answer("cancelOrder", orderId=over))
    shown = agent.answer("cancelOrders", userId="bot-1")
    assert [one["orderId"] for one in shown["present"]["orders"]] == [rests]
    assert shown["present"]["isComplete"] is True
    assert [one["orderId"] for one in agent.go_on(shown)["answer"]["cancelled"]] == [rests]


def test_a_price_is_told_on_execute_alone(agent: Agent, engine: Any) -> None:
    order_id = _resting(agent)
    shown = agent.answer("postMarketEvent", body={"type": "price", "pair": "SOL/USDC", "price": "310"})
    assert agent.answer("getOrder", orderId=order_id)["status"] == "open"
    assert agent.go_on(shown)["answer"]["accepted"] is True
    assert agent.answer("waitForOrder", orderId=order_id)["isOver"] is True
