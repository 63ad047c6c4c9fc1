"""Reads, waits, and what an agent is told of every error."""

from decimal import Decimal
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from orderengine import Client
from tests.client.mcp.conftest import Agent

ORDER = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5"}


def _placed(agent: Agent, **changes: str) -> str:
    return str(agent.go_on(agent.answer("executeOrder", body={**ORDER, **changes}))["answer"]["orderId"])


def test_an_answer_is_json_text_and_structured_with_every_digit(agent: Agent) -> None:
    found = agent.call("getQuotes", tokenIn="SOL", tokenOut="USDC", amountIn="1.5")
    assert Decimal(found.structured_content["mQuote"]["amountOut"]) > 0
    assert isinstance(found.structured_content["mQuote"]["amountOut"], str)
    assert found.structured_content["mQuote"]["amountOut"] in found.content[0].text  # type: ignore[union-attr]


def test_a_wait_ends_with_the_order(agent: Agent) -> None:
    found = agent.answer("waitForOrder", orderId=_placed(agent))
    assert (found["isOver"], found["status"]) == (True, "confirmed")
    assert [one["seq"] for one in found["events"]] == list(range(1, found["afterSeq"] + 1))


def test_a_wait_for_an_order_that_goes_on_is_no_error(agent: Agent) -> None:
    order_id = _placed(agent, type="limit", limitPrice="300")
    first = agent.answer("waitForOrder", orderId=order_id, seconds=2)
    assert (first["isOver"], first["status"], first["afterSeq"]) == (False, "open", 2)
    assert agent.answer("waitForOrder", orderId=order_id, seconds=1, afterSeq=2)["events"] == []


def test_a_problem_of_the_engine_is_a_structured_error(agent: Agent) -> None:
    found = agent.refusal("executeOrder", body={**ORDER, "amountIn": "-1", "slipage": 1})
    assert (found["code"], found["status"]) == ("INVALID_ORDER", 422)
    assert {one["field"] for one in found["errors"]} == {"amountIn", "slipage"}


def test_an_order_that_does_not_exist_is_a_structured_error(agent: Agent) -> None:
    for tool in ("getOrder", "explainOrder", "cancelOrder", "waitForOrder"):
        assert agent.refusal(tool, orderId="4a1f9b9e-8f63-4a0c-9d5b-1f2f3a4b5c6d")["code"] == "ORDER_NOT_FOUND"


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("getOrder", {}, "MISSING_ARGUMENT"),
        ("getOrder", {"orderId": "x", "order": 1}, "UNKNOWN_ARGUMENT"),
        ("executeOrder", {"body": ORDER, "execute": "yes"}, "INVALID_ARGUMENT"),
        ("executeOrder", {"body": "1.5 SOL"}, "INVALID_ARGUMENT"),
        ("executeOrder", {"body": {**ORDER, "amountIn": 0.12345678901234567}}, "INEXACT_NUMBER"),
        ("waitForOrder", {}, "MISSING_ARGUMENT"),
        ("waitForOrder", {"orderId": "x", "seconds": 61}, "INVALID_ARGUMENT"),
        ("waitForOrder", {"orderId": "../x"}, "INVALID_ARGUMENT"),
        ("getOrder", {"orderId": ".."}, "INVALID_ARGUMENT"),
    ],
)
def test_arguments_that_make_no_request_are_refused(
    agent: Agent, engine: Any, tool: str, arguments: dict[str, Any], code: str
) -> None:
    assert agent.refusal(tool, **arguments)["code"] == code
    assert not engine.orders


def test_an_engine_that_does_not_answer_is_a_structured_error(agent: Agent, engine: Any) -> None:
    agent.tools()
    engine.lose_answers(rate=1.0)
    assert agent.refusal("getTokens")["code"] == "UNREACHABLE"
    engine.lose_answers(rate=0.0)


def test_a_contract_that_cannot_be_read_is_told() -> None:
    agent = Agent(Client("http://127.0.0.1:9", retries=0))
    with pytest.raises(MCPError, match="contract cannot be read"):
        agent.tools()


def test_a_tool_that_there_is_not_is_an_error_of_the_protocol(agent: Agent) -> None:
    with pytest.raises(MCPError, match="There is no tool sellAll"):
        agent.call("sellAll")
