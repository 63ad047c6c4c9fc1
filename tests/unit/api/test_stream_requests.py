"""Requests for a stream, as a socket message or as query parameters."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.errors import InvalidOrderError
from chalicelib.api.problems import ProblemError
from chalicelib.api.requests.fields import validated
from chalicelib.api.requests.streams import StreamModel, read_handshake

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
ORDER = "5c0ffee0-0000-4000-8000-000000000001"


def refused(**fields: Any) -> dict[str, str]:
    with pytest.raises(InvalidOrderError) as caught:
        validated(StreamModel, fields, now=NOON)
    return {error.field: error.code for error in caught.value.errors}


@given(st.uuids())
def test_an_order_id_may_have_upper_or_lower_case(order_id: UUID) -> None:
    for text in (str(order_id), str(order_id).upper()):
        assert validated(StreamModel, {"orderId": text}).order_id == str(order_id)


def test_a_stream_starts_at_seq_zero_by_default() -> None:
    assert validated(StreamModel, {"orderId": ORDER}).after_seq == 0
    assert validated(StreamModel, {"userId": "alice"}).user_id == "alice"


@pytest.mark.parametrize("after_seq", [0, 3, "0", "3", "007", 10_000])
def test_after_seq_may_be_a_number_or_a_text_of_digits(after_seq: int | str) -> None:
    assert validated(StreamModel, {"orderId": ORDER, "afterSeq": after_seq}).after_seq == int(after_seq)


@pytest.mark.parametrize(
    "after_seq", [-1, "-1", "", "x", "1.0", " 1", "\u0663", 10_001, "99999999999", True, [1], {"seq": 1}]
)
def test_an_invalid_after_seq_is_refused(after_seq: object) -> None:
    assert set(refused(orderId=ORDER, afterSeq=after_seq)) == {"afterSeq"}


@pytest.mark.parametrize(
    "order_id",
    [
        "",
        "x",
        ORDER[:-1],
        ORDER.replace("-", ""),
        f"{{{ORDER}}}",
        f"urn:uuid:{ORDER}",
        f" {ORDER}",
        "\ud800",
        7,
        ["x"],
    ],
)
def test_an_invalid_order_id_is_refused(order_id: object) -> None:
    assert refused(orderId=order_id) == {"orderId": "ORDER_ID_INVALID"}


def test_null_is_absent() -> None:
    found = validated(StreamModel, {"orderId": ORDER, "userId": None, "afterSeq": None})
    assert (found.order_id, found.user_id, found.after_seq) == (ORDER, None, 0)


@pytest.mark.parametrize("after_seq", [5.0, Decimal("5.0"), 1.5, True, [1]])
def test_a_seq_that_is_no_whole_number_is_refused_in_plain_words(after_seq: object) -> None:
    with pytest.raises(InvalidOrderError) as caught:
        validated(StreamModel, {"orderId": ORDER, "afterSeq": after_seq}, now=NOON)
    [error] = caught.value.errors
    assert (error.field, error.code) == ("afterSeq", "INT_TYPE")
    assert error.message == "must be a whole number, written in digits"


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00Z", "2026-01-31T12:00:00.05Z", "2026-01-31t13:00:00+01:00"])
def test_a_users_stream_begins_at_any_time_that_is_past(since: str) -> None:
    assert validated(StreamModel, {"userId": "alice", "since": since}, now=NOON).since
    assert read_handshake({"userId": ["alice"], "since": [since]}, NOON).since


@pytest.mark.parametrize(
    ("since", "code"),
    [
        ("2026-01-31T12:00:00.2Z", "TIME_OUT_OF_RANGE"),
        ("9999-12-31T23:59:59Z", "TIME_OUT_OF_RANGE"),
        ("0001-01-01T00:00:00+23:00", "TIME_INVALID"),
        ("2026-01-31", "TIME_INVALID"),
        ("yesterday", "TIME_INVALID"),
        ("", "TIME_INVALID"),
        (1769860800, "TIME_INVALID"),
    ],
)
def test_a_since_that_is_ahead_or_not_a_time_is_refused(since: object, code: str) -> None:
    assert refused(userId="alice", since=since) == {"since": code}


@pytest.mark.parametrize(
    "stream", [{"orderId": ORDER, "since": "2026-01-31T11:00:00Z"}, {"userId": "a", "afterSeq": 1}]
)
def test_a_position_of_the_other_kind_of_stream_is_refused(stream: dict[str, Any]) -> None:
    assert list(refused(**stream).values()) == ["NOT_ALLOWED"]
    query = {name: [str(value)] for name, value in stream.items()}
    assert {code for _, code in refused_handshake(**query)} == {"NOT_ALLOWED"}


def test_a_users_stream_may_name_the_position_before_every_event() -> None:
    assert validated(StreamModel, {"userId": "alice", "afterSeq": 0}, now=NOON).after_seq == 0


@pytest.mark.parametrize(("name", "value"), [("afterSeq", "1"), ("since", "2026-01-31T11:00:00Z")])
def test_a_position_without_a_stream_is_refused(name: str, value: str) -> None:
    assert refused_handshake(**{name: [value]}) == {(name, "NOT_ALLOWED")}


@pytest.mark.parametrize("fields", [{}, {"afterSeq": 1}, {"orderId": ORDER, "userId": "alice"}])
def test_a_stream_request_names_either_an_order_or_a_user(fields: dict[str, Any]) -> None:
    assert set(refused(**fields).values()) == {"ORDER_OR_USER"}


def test_all_invalid_fields_are_reported_together() -> None:
    assert set(refused(orderId="x", userId="a b", afterSeq=-1, since=1)) == {"orderId", "userId", "afterSeq", "since"}


def refused_handshake(**query: list[str]) -> set[tuple[str, str]]:
    with pytest.raises(ProblemError) as caught:
        read_handshake(query, NOON)
    assert caught.value.problem.code == "INVALID_STREAM"
    return {(error.field, error.code) for error in caught.value.problem.errors}


def test_a_handshake_asks_for_at_most_one_stream() -> None:
    assert read_handshake({"orderId": [ORDER], "afterSeq": ["3"]}, NOON).after_seq == 3
    assert read_handshake({"userId": ["alice"], "statuses": ["coarse"], "token": ["x"]}, NOON).asks_for_stream
    assert not read_handshake({"statuses": ["coarse"]}, NOON).asks_for_stream
    assert refused_handshake(orderId=[ORDER], userId=["alice"]) == {("userId", "ORDER_OR_USER")}


@pytest.mark.parametrize(
    ("name", "values", "code"),
    [
        ("statuses", ["fine"], "LITERAL_ERROR"),
        ("statuses", ["Coarse"], "LITERAL_ERROR"),
        ("statuses", [""], "LITERAL_ERROR"),
        ("afterseq", ["4"], "UNKNOWN_FIELD"),
        ("foo", ["1", "2"], "REPEATED"),
        ("orderId", [ORDER, ORDER], "REPEATED"),
        ("orderId", ["x", "y"], "REPEATED"),
        ("orderId", [""], "ORDER_ID_INVALID"),
        ("afterSeq", ["+4"], "INT_PARSING"),
        ("afterSeq", ["10001"], "LESS_THAN_EQUAL"),
    ],
)
def test_a_wrong_parameter_of_a_handshake_is_named_once(name: str, values: list[str], code: str) -> None:
    assert refused_handshake(**{name: values}) == {(name, code)}


def test_all_wrong_parameters_of_a_handshake_are_reported_together() -> None:
    found = refused_handshake(orderId=[ORDER, ORDER], statuses=["fine"], afterseq=["4"], afterSeq=["x"])
    assert {field for field, _ in found} == {"orderId", "statuses", "afterseq", "afterSeq"}
