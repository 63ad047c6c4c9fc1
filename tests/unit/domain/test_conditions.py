"""The min output at a limit price: exact arithmetic, rounded down once at the end."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.conditions import min_output_at_price
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.tokens import BY_SYMBOL, Side, launched_token
from tests.unit.order_strategies import MINT

LAUNCHED = launched_token(MINT)
assert LAUNCHED is not None
tokens = st.sampled_from([*BY_SYMBOL.values(), LAUNCHED])
amounts = st.integers(1, MAX_BASE_UNITS)
limits = st.decimals(Decimal("1E-18"), 10**20, places=18).filter(lambda limit: limit > 0)


@pytest.mark.parametrize(
    ("side", "paid", "got", "amount", "limit", "least"),
    [
        (Side.SELL, "SOL", "USDC", 2 * 10**9, "100.25", 200_500_000),
        (Side.BUY, "USDC", "SOL", 200 * 10**6, "100", 2 * 10**9),
        # A third of a dollar: the floor costs the trader less than one base unit.
        (Side.BUY, "USDC", "SOL", 10**6, "3", 333_333_333),
        (Side.SELL, "SOL", "USDC", 1, "100", 0),
        (Side.SELL, "SOL", "USDC", 10, "100", 1),
        (Side.SELL, "BONK", "USDC", 12_345_67, "0.00002", 246),
    ],
)
def test_known_min_outputs_are_exact(side: Side, paid: str, got: str, amount: int, limit: str, least: int) -> None:
    assert min_output_at_price(side, BY_SYMBOL[paid], BY_SYMBOL[got], amount, Decimal(limit)) == least


@given(st.sampled_from(Side), tokens, tokens, amounts, limits)
def test_the_min_output_is_the_exact_output_rounded_down(
    side: Side, paid: object, got: object, amount: int, limit: Decimal
) -> None:
    least = min_output_at_price(side, paid, got, amount, limit)  # type: ignore[arg-type]
    price = Fraction(limit) * Fraction(10) ** (got.decimals - paid.decimals)  # type: ignore[attr-defined]
    if side is Side.BUY:
        price = Fraction(10) ** (got.decimals - paid.decimals) / Fraction(limit)  # type: ignore[attr-defined]
    assert least <= amount * price < least + 1


@given(tokens, tokens, amounts, limits, limits)
def test_a_stricter_price_never_lowers_the_min_output(
    paid: object, got: object, amount: int, one: Decimal, other: Decimal
) -> None:
    low, high = sorted([one, other])
    for side, lenient, strict in ((Side.SELL, low, high), (Side.BUY, high, low)):
        asked = [min_output_at_price(side, paid, got, amount, limit) for limit in (lenient, strict)]  # type: ignore[arg-type]
        assert asked == sorted(asked)
