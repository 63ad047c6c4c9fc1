"""What the hooks of schemathesis drop and what they keep."""

from types import SimpleNamespace
from typing import Any

import pytest
import simplejson

from chalicelib.api.codes import FieldCode
from chalicelib.domain.tokens import find_pair, find_token
from tests.fuzz import schema_hooks
from tests.fuzz.repairs import repaired
from tests.fuzz.values import MODELS, PLAUSIBLE, wire_names


def an_answer(status: int, content: bytes) -> Any:
    return SimpleNamespace(status_code=status, content=content)


def refusal(*codes: FieldCode, status: int = 422, field: str = "amountIn", code: str = "INVALID_ORDER") -> Any:
    errors = [{"field": field, "code": broken.value} for broken in codes]
    return an_answer(status, simplejson.dumps({"code": code, "errors": errors}).encode())


def test_a_refusal_of_valid_data_by_a_rule_that_no_schema_states_is_no_finding() -> None:
    assert schema_hooks.is_refused_by_rule("POST", refusal(FieldCode.TOKEN_SAME, FieldCode.EXPIRY_PAST))
    assert schema_hooks.is_refused_by_rule("PATCH", refusal(FieldCode.LESS_THAN_EQUAL, field="slippageBps"))
    assert schema_hooks.is_refused_by_rule("PATCH", refusal(FieldCode.NOT_FOR_TYPE, field="limitPrice"))
    assert schema_hooks.is_refused_by_rule("POST", refusal(code="IDEMPOTENCY_KEY_REUSED"))
    assert schema_hooks.is_refused_by_rule("HEAD", an_answer(400, b""))


@pytest.mark.parametrize(
    "answer",
    [
        refusal(FieldCode.TOKEN_SAME, FieldCode.REQUIRED),
        refusal(FieldCode.NOT_FOR_TYPE),
        refusal(FieldCode.LESS_THAN_EQUAL, field="wait"),
        refusal(code="MALFORMED_JSON", status=400),
        refusal(FieldCode.TOKEN_SAME, status=401),
    ],
    ids=["a rule of the schema beside it", "a field of another type", "a bound", "another problem", "another status"],
)
def test_any_other_refusal_of_valid_data_is_a_finding(answer: Any) -> None:
    assert not schema_hooks.is_refused_by_rule("POST", answer)


def test_a_repaired_order_has_a_market_and_an_amount_that_its_token_can_have() -> None:
    order = repaired({"tokenIn": "SOL", "tokenOut": "SOL", "side": "buy", "amountIn": "1e-30", "priority": "high"})
    assert order == {"tokenIn": "SOL", "tokenOut": "USDC", "side": "sell", "amountIn": "1.5", "priority": "high"}
    between = repaired({"tokenIn": "BONK", "tokenOut": "JUP", "amount": 3})
    paid, bought = find_token(between["tokenIn"]), find_token(between["tokenOut"])
    assert paid is not None
    assert bought is not None
    assert find_pair(paid, bought) is not None
    assert between["amount"] == 3


def test_every_field_of_a_request_has_plausible_random_values() -> None:
    assert {name for model in MODELS for name in wire_names(model)} - PLAUSIBLE.keys() == {"orderId"}
