"""Every error of an invalid request names a field and has a code that the contract lists."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.codes import FieldCode
from chalicelib.api.errors import FieldError, InvalidOrderError
from chalicelib.api.problems import ProblemError
from chalicelib.api.requests.amendments import read_amendment
from chalicelib.api.requests.market_events import read_market_event
from chalicelib.api.requests.streams import read_cancel, read_stream
from tests.support.request_rules import SIMULATION_RULES, order_of

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
Reader = Callable[[Mapping[str, Any]], object]
#: Every request body, and the fields that it may have.
READERS: list[tuple[Reader, tuple[str, ...]]] = [
    (
        lambda body: order_of(body, simulation=True, now=NOON),
        (
            *("userId", "type", "side", "pair", "tokenIn", "tokenOut", "amountIn", "amount", "slippage"),
            *("slippageBps", "priority", "clientOrderId", "limitPrice", "targetPrice", "timeInForce", "expiresAt"),
            *("launchMint", "mint", "venue", "minLiquidity", "maxPrice", "simulate", "other"),
        ),
    ),
    (lambda body: read_amendment(body, NOON), ("limitPrice", "expiresAt", "maxPrice", "minLiquidity", "other")),
    (
        lambda body: read_market_event(body, SIMULATION_RULES, NOON),
        ("type", "event", "pair", "price", "mint", "venue", "liquidity", "pool", "other"),
    ),
    (read_cancel, ("orderId", "userId", "other")),
    (read_stream, ("orderId", "userId", "afterSeq", "other")),
]
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=300)
    | st.sampled_from(["market", "limit", "sniper", "SOL", "USDC", "SOL/USDC", "USDC/SOL", "buy", "gtd", "price"])
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)


@given(st.data())
def test_every_error_names_its_field_with_a_listed_code(data: st.DataObject) -> None:
    read, fields = data.draw(st.sampled_from(READERS))
    body = data.draw(st.dictionaries(st.sampled_from(fields), VALUES))
    for error in errors_of(read, body):
        assert isinstance(error.code, FieldCode)
        # ``INVALID`` is the code of an error kind that the table of codes lacks.
        assert error.code is not FieldCode.INVALID
        assert error.message
        assert "pydantic" not in error.message


def errors_of(read: Reader, body: Mapping[str, Any]) -> Sequence[FieldError]:
    """The errors of a body; none if the body is valid."""
    try:
        read(body)
    except InvalidOrderError as refused:
        return refused.errors
    except ProblemError as refused:
        return refused.problem.errors
    return ()
