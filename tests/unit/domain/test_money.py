"""Amounts keep every digit; prices and percentages round as they say."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.money import (
    MAX_BASE_UNITS,
    minimum_output,
    percent,
    plain,
    price,
    to_base_units,
    to_human_units,
)

base_units = st.integers(0, MAX_BASE_UNITS)
decimals = st.integers(0, 9)


@given(base_units, decimals)
def test_base_units_come_back_exactly(amount: int, places: int) -> None:
    assert to_base_units(to_human_units(amount, places), places) == amount


@given(base_units, decimals)
def test_human_units_are_written_without_exponent_or_trailing_zeros(amount: int, places: int) -> None:
    text = str(to_human_units(amount, places))
    if "E" in text:
        # Only a small fraction is written so by Decimal itself; exact_json writes it out.
        assert Decimal(text) < Decimal("0.000001")
    assert "." not in text or not text.endswith("0")


@pytest.mark.parametrize(("amount", "places"), [("1.0000000001", 9), ("0.1", 0), ("0.0000001", 6)])
def test_more_decimals_than_the_token_has_are_refused(amount: str, places: int) -> None:
    with pytest.raises(ValueError, match="decimal places"):
        to_base_units(Decimal(amount), places)


@given(base_units, st.integers(0, 5000))
def test_the_minimum_is_never_above_the_quote_and_never_rounds_up(quoted: int, bps: int) -> None:
    minimum = minimum_output(quoted, bps)
    assert 0 <= minimum <= quoted
    assert minimum * 10_000 <= quoted * (10_000 - bps) < (minimum + 1) * 10_000


def test_a_price_has_twelve_significant_digits() -> None:
    assert price(Decimal(1), Decimal(3)) == Decimal("0.333333333333")
    assert price(Decimal(1), Decimal(0)) == 0


def test_percent_has_four_places() -> None:
    assert percent(1, 3) == Decimal("33.3333")
    assert percent(1, 0) == 0


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**12), max_value=10**12))
def test_plain_keeps_the_value(number: Decimal) -> None:
    assert plain(number) == number
