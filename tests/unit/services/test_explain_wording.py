"""Durations, percentages, prices and times as a person writes them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from chalicelib.domain.tokens import launched_token
from chalicelib.services.orders.explain import wording
from tests.support.open_orders import MINT, SOL_USDC


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 ms"),
        (180, "180 ms"),
        (1_000, "1 s"),
        (1_234, "1.2 s"),
        (20_000, "20 s"),
        (60_000, "1 min"),
        (125_000, "2 min 5 s"),
        (3_600_000, "1 h"),
        (12_000_000, "3 h 20 min"),
        (86_400_000, "1 day"),
        (90_000_000, "1 day 1 h"),
        (2_592_000_000, "30 days"),
    ],
)
def test_a_duration_has_one_or_two_units(milliseconds: int, text: str) -> None:
    assert wording.duration(milliseconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2.1053", "2.11 %"),
        ("10", "10 %"),
        ("0.0042", "0.0042 %"),
        ("0.0400", "0.04 %"),
        ("0", "0 %"),
        ("0.999", "1 %"),
        ("-3.5", "-3.5 %"),
        ("100", "100 %"),
    ],
)
def test_a_percentage_has_no_trailing_zero(value: str, text: str) -> None:
    assert wording.percentage(Decimal(value)) == text


def test_a_price_that_somebody_set_keeps_its_digits_and_a_computed_one_is_rounded() -> None:
    assert wording.price(Decimal("150.500"), SOL_USDC) == "150.5 USDC per SOL"
    assert wording.computed_price(Decimal("98.9166666667"), SOL_USDC) == "98.916667 USDC per SOL"


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31 12:00:00 UTC"),
        (datetime(2026, 1, 31, 12, 0, 5, 120_000, tzinfo=UTC), "2026-01-31 12:00:05.12 UTC"),
        (datetime(2026, 1, 31, 12, 0, 30, tzinfo=UTC), "2026-01-31 12:00:30 UTC"),
    ],
)
def test_a_moment_has_milliseconds_where_it_needs_them(at: datetime, text: str) -> None:
    assert wording.moment(at) == text


def test_names_ordinals_and_mints() -> None:
    assert [wording.ordinal(number) for number in (1, 2, 3, 4, 11, 12, 21, 102)] == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "12th",
        "21st",
        "102nd",
    ]
    token = launched_token(MINT)
    assert token
    assert wording.amount(1_500_000, token) == "1.5 7xKX…gAsU"
