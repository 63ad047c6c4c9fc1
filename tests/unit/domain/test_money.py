"""Amounts are exact; prices and percentages round to documented digits."""

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
def test_base_units_survive_the_round_trip(amount: int, places: int) -> None:
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


@pytest.mark.parametrize("zeros", [9, 30, 58, 59, 60, 100])
def test_a_digit_beyond_the_decimals_is_refused_at_any_length(zeros: int) -> None:
    with pytest.raises(ValueError, match="decimal places"):
        to_base_units(Decimal("1." + "0" * zeros + "1"), 9)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=0, max_value=10**12), decimals)
def test_an_amount_is_either_exact_in_base_units_or_refused(amount: Decimal, places: int) -> None:
    exact = amount * 10**places
    try:
        assert to_base_units(amount, places) == exact
    except ValueError:
        assert exact % 1 != 0


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


@pytest.mark.parametrize(("slippage_bps", "minimum"), [(0, 199), (1, 198), (100, 197), (5000, 99), (10_000, 0)])
def test_the_tolerance_is_taken_off_the_quote(slippage_bps: int, minimum: int) -> None:
    assert minimum_output(199, slippage_bps) == minimum


@given(st.integers(0, MAX_BASE_UNITS), st.integers(1, MAX_BASE_UNITS))
def test_a_percentage_is_off_by_half_its_last_place_at_most(part: int, whole: int) -> None:
    assert abs(percent(part, whole) * whole - part * 100) <= whole * Decimal("0.00005")


@pytest.mark.parametrize(
    ("number", "text"),
    [("1E+2", "100"), ("100.00", "100"), ("0.0", "0"), ("1.50", "1.5"), ("1E+100", "1" + "0" * 100)],
)
def test_plain_writes_whole_numbers_out_and_drops_trailing_zeros(number: str, text: str) -> None:
    assert str(plain(Decimal(number))) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**12), max_value=10**12))
def test_plain_keeps_the_value(number: Decimal) -> None:
    assert plain(number) == number


@given(st.integers(1, MAX_BASE_UNITS), decimals, st.integers(1, 20))
def test_no_amount_is_rounded_to_fit_the_token(digits: int, places: int, excess: int) -> None:
    amount = Decimal(digits * 10 + 1).scaleb(-places - excess)
    with pytest.raises(ValueError, match="decimal places"):
        to_base_units(amount, places)


@given(base_units, st.integers(0, 12))
def test_trailing_zeros_do_not_change_an_amount(amount: int, zeros: int) -> None:
    assert to_base_units(Decimal(f"{amount}.{'0' * (zeros + 1)}"), 0) == amount


@given(st.integers(-(10**18), 10**18), st.integers(0, 60))
def test_a_whole_number_is_never_written_with_an_exponent(digits: int, exponent: int) -> None:
    number = Decimal(digits).scaleb(exponent)
    assert str(plain(number)) == str(int(number))


@given(base_units, st.integers(0, 4999))
def test_more_tolerance_never_raises_the_min_output(quoted: int, bps: int) -> None:
    assert minimum_output(quoted, bps + 1) <= minimum_output(quoted, bps)
    assert minimum_output(quoted, 0) == quoted


@given(st.decimals(1, 10**12, places=9), st.decimals(1, 10**12, places=9))
def test_a_price_is_right_to_twelve_digits(quote: Decimal, base: Decimal) -> None:
    assert abs(price(quote, base) * base / quote - 1) <= Decimal("5E-12")
