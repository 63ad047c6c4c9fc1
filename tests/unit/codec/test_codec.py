"""Values survive writing and reading exactly, and no number passes through a float."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.frames import reply_frame, update_frame
from chalicelib.codec.exact_json import dumps, loads
from chalicelib.codec.orders import order_from_dict, order_to_dict
from chalicelib.codec.times import from_ms, from_text, to_ms, to_text
from chalicelib.domain.errors import RefusedError
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.orders import Order
from tests.support.order_builders import quote, quotes, routed
from tests.support.specs import a_spec
from tests.unit.order_strategies import lives

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
def test_a_text_that_is_not_json_is_refused(text: str) -> None:
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
    order = routed(Order.accepted("id", spec, at), at, quotes(quote("1E-9"), quote("100")))
    assert order_from_dict(loads(dumps(order_to_dict(order)))) == order


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | numbers | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
times = st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


def number_types(value: Any) -> set[type]:
    """The types of all the numbers in a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return set().union(*map(number_types, value))
    return set() if value is None or isinstance(value, bool | str) else {type(value)}


@given(json_values)
def test_any_value_survives_the_round_trip_without_a_float(value: Any) -> None:
    back = loads(dumps(value))
    assert back == value
    assert number_types(back) <= {int, Decimal}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_of_foreign_json_is_kept_digit_by_digit(number: float) -> None:
    value = loads(repr(number))
    assert isinstance(value, Decimal)
    assert value == Decimal(repr(number))


def test_more_digits_than_a_float_has_are_kept() -> None:
    assert loads("0.1000000000000000055511151231257827") == Decimal("0.1000000000000000055511151231257827")
    assert loads("18446744073709551615") == 2**64 - 1


@pytest.mark.parametrize(
    ("number", "text"),
    [("1E-9", "0.000000001"), ("1E+2", "100"), ("2.50", "2.5"), ("0E-9", "0"), ("18446744073.709551615",) * 2],
)
def test_a_decimal_is_written_in_plain_notation(number: str, text: str) -> None:
    assert dumps({"amount": Decimal(number)}) == f'{{"amount":{text}}}'


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_decimal_that_is_not_a_number_is_never_written(number: str) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        dumps({"amount": Decimal(number)})


@pytest.mark.parametrize("number", ["1E+119", "1E+120", "1E+200", "1." + "1" * 150])
def test_a_very_long_number_is_written_exactly_or_refused(number: str) -> None:
    try:
        text = dumps(Decimal(number))
    except (ValueError, ArithmeticError):
        return
    assert loads(text) == Decimal(number)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_float_that_is_not_a_number_is_never_written(number: float) -> None:
    with pytest.raises((TypeError, ValueError)):
        dumps({"amount": number})


def test_a_value_without_a_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="datetime"):
        dumps({"at": datetime(2026, 1, 1, tzinfo=UTC)})


@pytest.mark.parametrize("number", ["1e99999999999999999999", "1e-99999999999999999999", "-1E+99999999999999999999"])
def test_an_exponent_out_of_range_is_a_value_error(number: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        loads(f'{{"amountIn": {number}}}')


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_nesting_without_end_is_a_value_error(opening: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        loads(opening * 50_000)


@given(times, st.integers(-14 * 60, 14 * 60))
def test_a_time_of_any_zone_is_kept_to_the_millisecond(at: datetime, minutes: int) -> None:
    kept = at.replace(microsecond=at.microsecond // 1000 * 1000)
    assert from_text(to_text(at)) == kept
    assert from_text(at.astimezone(timezone(timedelta(minutes=minutes))).isoformat()) == at
    assert to_text(from_text(to_text(at))) == to_text(at)


@given(times, times)
def test_the_text_of_times_sorts_as_the_times_do(one: datetime, other: datetime) -> None:
    assert (to_text(one) < to_text(other)) == (from_text(to_text(one)) < from_text(to_text(other)))


@given(st.integers(1_104_537_600_000, 2_145_916_799_999))
def test_milliseconds_of_three_decades_survive_the_round_trip(milliseconds: int) -> None:
    at = from_ms(milliseconds)
    assert to_ms(at) == milliseconds
    assert from_text(to_text(at)) == at


@pytest.mark.parametrize("milliseconds", [16_287, 1_082_492_798_718, 2_163_923_822_240])
def test_milliseconds_of_any_time_survive_the_round_trip(milliseconds: int) -> None:
    """1970, 2004 and 2038: where a float of seconds cannot hold them."""
    assert to_ms(from_ms(milliseconds)) == milliseconds


@given(lives())
def test_an_order_in_any_status_survives_the_queue(order: Order) -> None:
    read = order_from_dict(loads(dumps(order_to_dict(order))))
    assert (read, read.placed_spec) == (order, order.placed_spec)


@pytest.mark.parametrize(
    "changes",
    [
        {"orderId": 7},
        {"events": ["{}"]},
        {"events": ["not JSON"]},
        {"events": ['{"v":3,"seq":1,"attempt":0,"at":"2026-01-01T00:00:00Z","kind":"accepted","data":{}}']},
        {"events": ['{"v":2,"seq":1,"attempt":0,"at":"2026-01-01T00:00:00Z","kind":"lost","data":{}}']},
        {"events": ['{"v":2,"seq":1,"attempt":0,"at":"2026-01-01T00:00:00Z","kind":"submitted","data":{}}']},
        {"events": ['{"v":2,"seq":1,"attempt":0,"at":"2026-01-01T00:00:00","kind":"accepted","data":{}}']},
        {"events": ['{"v":2,"seq":2,"attempt":0,"at":"2026-01-01T00:00:00Z","kind":"accepted","data":{}}']},
        {"events": ['{"v":2,"seq":1,"attempt":0,"at":"2026-01-01T00:00:00Z","kind":"accepted"}']},
        {"events": ['{"seq":1,"status":"lost","attempt":0,"at":"2026-01-01T00:00:00Z","meta":{}}']},
        {"events": ['{"seq":1,"status":"confirmed","attempt":0,"at":"2026-01-01T00:00:00Z","meta":{}}']},
        {"events": ['{"seq":2,"status":"pending","attempt":0,"at":"2026-01-01T00:00:00Z","meta":{}}']},
        {"events": ['{"seq":1,"status":"pending","attempt":0,"at":"2026-01-01T00:00:00","meta":{}}']},
        {"spec": {}},
    ],
)
def test_data_that_is_not_an_order_is_refused(changes: dict[str, Any]) -> None:
    data = order_to_dict(Order.accepted("id", a_spec(), datetime(2026, 1, 1, tzinfo=UTC)))
    with pytest.raises((ValueError, KeyError, RefusedError)):
        order_from_dict(data | changes)


def test_a_coarse_frame_has_the_phase_as_status_and_keeps_the_detail() -> None:
    order = Order.accepted("id", a_spec(), datetime(2026, 1, 1, tzinfo=UTC))
    fine, coarse = (loads(update_frame(order, order.events[0], coarse=coarse)) for coarse in (False, True))
    same = {
        "type": "ORDER_UPDATE",
        "orderId": "id",
        "userId": "tester",
        "seq": 1,
        "phase": "queued",
        "attempt": 0,
        "at": "2026-01-01T00:00:00.000Z",
        "meta": {},
    }
    assert fine == {**same, "status": "pending"}
    assert coarse == {**same, "status": "queued", "detailedStatus": "pending"}


def test_a_reply_names_its_request_if_it_has_one() -> None:
    assert loads(reply_frame("ack", 0, orderId="id")) == {"type": "ack", "requestId": 0, "orderId": "id"}
    assert loads(reply_frame("pong", at="now")) == {"type": "pong", "at": "now"}
