"""What is written down comes back the same, and no number passes through a float."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.encoding.exact_json import dumps, loads
from chalicelib.encoding.snapshots import order_from_dict, order_to_dict
from chalicelib.encoding.times import from_ms, from_text, to_ms, to_text
from tests.support.orders import a_spec

numbers = st.decimals(allow_nan=False, allow_infinity=False, places=30, min_value=-(10**30), max_value=10**30)


@given(numbers)
def test_a_decimal_is_written_out_in_full_and_read_back_exactly(number: Decimal) -> None:
    text = dumps(number)
    assert "e" not in text.lower()
    assert loads(text) == number


@given(st.text())
def test_numbers_in_any_json_are_never_floats(text: str) -> None:
    try:
        value = loads(text)
    except ValueError:
        return
    assert not isinstance(value, float)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", '{"a": NaN}', "", "{", "[" * 100_000, "1" * 5000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text of the message is the parser's
        loads(text)


def test_a_time_is_utc_with_milliseconds() -> None:
    at = datetime(2026, 1, 31, 12, 0, 0, 1000, UTC)
    assert to_text(at) == "2026-01-31T12:00:00.001Z"
    assert from_text(to_text(at)) == from_ms(to_ms(at)) == at


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00", "yesterday", "0001-01-01T00:00:00+14:00"])
def test_a_time_without_a_zone_or_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        from_text(text)


@given(st.integers(1, MAX_BASE_UNITS), st.integers(0, 5000), st.none() | st.text(max_size=255))
def test_an_order_survives_the_queue(amount: int, bps: int, client_order_id: str | None) -> None:
    spec = a_spec(amount_in=amount, slippage_bps=bps, client_order_id=client_order_id)
    at = datetime(2026, 1, 1, 0, 0, 0, 123000, UTC)
    order = Order.accepted("id", spec, at).moved(
        Status.ROUTING, at, {"number": Decimal("1E-9"), "whole": Decimal(100)}, next_attempt=True
    )
    assert order_from_dict(loads(dumps(order_to_dict(order)))) == order
