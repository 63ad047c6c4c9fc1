"""Valid order requests. ``test_order_rules`` has the invalid ones."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from chalicelib.api.errors import InvalidOrderError
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.tokens import Side
from tests.support.request_rules import order_of

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
GOOD = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": Decimal("1.5")}


def read(**changes: object) -> OrderSpec:
    return order_of(GOOD | changes, simulation=True, now=NOON)


@pytest.mark.parametrize("amount", [2, Decimal("2"), "2", "2.0", "2e0", Decimal("2.000000000")])
def test_an_amount_may_be_a_number_or_a_decimal_string(amount: object) -> None:
    assert read(amountIn=amount).amount_in == 2 * 10**9


def test_amount_is_an_alias_of_amount_in() -> None:
    assert (
        order_of({"tokenIn": "SOL", "tokenOut": "USDC", "amount": 2}, simulation=False, now=NOON).amount_in
        == 2 * 10**9
    )


def test_the_largest_amount_is_one_below_two_to_the_64() -> None:
    assert read(amountIn="18446744073.709551615").amount_in == 2**64 - 1


def test_tokens_may_be_mints_and_the_side_follows_from_the_pair() -> None:
    spec = read(
        tokenIn="EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
        tokenOut="So11111111111111111111111111111111111111112",
        side="buy",
    )
    assert (spec.token_in.symbol, spec.token_out.symbol, spec.side) == ("USDC", "SOL", Side.BUY)


@pytest.mark.parametrize(
    ("changes", "bps"),
    [
        ({}, 100),
        ({"slippage": 2}, 200),
        ({"slippage": "0.5"}, 50),
        ({"slippageBps": 7}, 7),
        ({"slippage": 1, "slippageBps": 100}, 100),
    ],
)
def test_slippage_is_percent_or_basis_points(changes: dict[str, object], bps: int) -> None:
    assert read(**changes).slippage_bps == bps


@pytest.mark.parametrize("field", ["amountIn", "slippage"])
def test_a_number_with_one_digit_too_many_is_refused_at_any_length(field: str) -> None:
    """The number has the maximum length; arithmetic with fewer digits would round it to 1 and trade."""
    with pytest.raises(InvalidOrderError) as caught:
        read(**{field: f"1.{'0' * 60}1"})
    assert [error.field for error in caught.value.errors] == [field]
