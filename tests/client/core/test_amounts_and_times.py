"""Amounts, times and durations: exact, or refused before anything is sent."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderengine import errors
from orderengine.amounts import exact
from orderengine.core.exact_json import loads
from orderengine.times import duration, read_time, time_text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**60), max_value=10**60, places=40))
def test_a_decimal_reaches_the_engine_digit_by_digit(value: Decimal) -> None:
    text = exact("amount", value)
    assert Decimal(text) == value
    assert "e" not in text.lower()
    assert exact("amount", text) == text


@given(st.integers(min_value=-(10**99), max_value=10**99))
def test_an_int_reaches_the_engine_digit_by_digit(value: int) -> None:
    assert exact("amount", value) == str(value)


@given(st.floats())
def test_every_float_is_refused(value: float) -> None:
    with pytest.raises(errors.FloatAmount):
        exact("amount", value)  # type: ignore[arg-type]


@given(st.text())
def test_text_is_an_exact_number_or_refused(text: str) -> None:
    try:
        found = exact("amount", text)
    except errors.InvalidArgument:
        return
    assert Decimal(found) == Decimal(text)


@pytest.mark.parametrize(
    "value",
    [
        True,
        None,
        b"1",
        Fraction(1, 2),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Decimal("1e999999"),
        "1e999999999999999999999",
        "1e-101",
        "",
        "1_5",
        "1,5",
        "0x10",
        "١٢",
        "NaN",
        pytest.param(10**5000, id="an int too long for text"),
    ],
)
def test_what_is_no_exact_number_is_refused(value: object) -> None:
    with pytest.raises(errors.InvalidArgument, match="amount is"):
        exact("amount", value)  # type: ignore[arg-type]


@pytest.mark.parametrize(("value", "text"), [(Decimal("1e3"), "1000"), ("1.50", "1.50"), (" +.5 ", "0.5"), (0, "0")])
def test_an_amount_is_written_without_an_exponent(value: Decimal | int | str, text: str) -> None:
    assert exact("amount", value) == text


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_json_numbers_keep_every_digit(value: Decimal) -> None:
    found = loads(str(value))
    assert Decimal(found) == value


@given(st.datetimes(timezones=st.timezones()))
def test_a_time_with_a_zone_names_the_same_millisecond(value: datetime) -> None:
    try:
        text = time_text("since", value)
    except errors.InvalidArgument:
        return  # it is beyond the years of UTC
    moment = value.astimezone(UTC)
    assert read_time(text) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert text.endswith("Z")


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 11, 1),  # noqa: DTZ001 - a time without a zone is what the client refuses
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
        date(2026, 11, 1),
        1761998400,
        None,
    ],
)
def test_a_value_that_names_no_moment_is_refused(value: object) -> None:
    with pytest.raises(errors.InvalidArgument, match="since is"):
        time_text("since", value)  # type: ignore[arg-type]


@given(st.integers(0, 99), st.integers(0, 999), st.integers(0, 9999), st.integers(0, 99999))
def test_a_duration_is_the_sum_of_its_parts(days: int, hours: int, minutes: int, seconds: int) -> None:
    expected = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    text = f"{days}d{hours}h{minutes}m{seconds}s"
    if expected:
        assert duration("expires_in", text) == expected == duration("expires_in", expected)
        assert duration("expires_in", expected.total_seconds()) == expected


@given(st.one_of(st.text(), st.floats(max_value=0), st.integers(max_value=0), st.none(), st.booleans()))
def test_what_is_no_duration_is_refused(value: object) -> None:
    try:
        found = duration("expires_in", value)  # type: ignore[arg-type]
    except errors.InvalidArgument:
        return
    assert found > timedelta()
    assert isinstance(value, str)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), pytest.param("9" * 5000 + "s", id="long"), "99999999999d", "90", "1.5h", "1m1h"],
)
def test_a_duration_beyond_reason_is_refused(value: float | str) -> None:
    with pytest.raises(errors.InvalidArgument, match="positive duration"):
        duration("expires_in", value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_json_is_read_as_the_standard_library_reads_it(value: object) -> None:
    assert loads(json.dumps(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 100_000, id="deep"),
        "NaN",
        "Infinity",
        "1e99999999999999999999",
        pytest.param("9" * 5000, id="long"),
        b"\xff",
        "",
    ],
)
def test_json_that_cannot_be_read_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        loads(text)
