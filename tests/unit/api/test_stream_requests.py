"""Requests for a stream, as a socket message or as query parameters."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.errors import InvalidOrderError
from chalicelib.api.problems import ProblemError
from chalicelib.api.requests.fields import validated
from chalicelib.api.requests.streams import StreamModel, read_handshake

ORDER = "5c0ffee0-0000-4000-8000-000000000001"


def refused(**fields: Any) -> dict[str, str]:
    with pytest.raises(InvalidOrderError) as caught:
        validated(StreamModel, fields)
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


@pytest.mark.parametrize("fields", [{}, {"afterSeq": 1}, {"orderId": ORDER, "userId": "alice"}])
def test_a_stream_request_names_either_an_order_or_a_user(fields: dict[str, Any]) -> None:
    assert set(refused(**fields).values()) == {"ORDER_OR_USER"}


def test_all_invalid_fields_are_reported_together() -> None:
    assert set(refused(orderId="x", userId="a b", afterSeq=-1, since=1)) == {"orderId", "userId", "afterSeq", "since"}


def refused_handshake(**query: list[str]) -> set[tuple[str, str]]:
    with pytest.raises(ProblemError) as caught:
        read_handshake(query)
    assert caught.value.problem.code == "INVALID_STREAM"
    return {(error.field, error.code) for error in caught.value.problem.errors}


def test_a_handshake_asks_for_at_most_one_stream() -> None:
    assert read_handshake({"orderId": [ORDER], "afterSeq": ["3"]}).after_seq == 3
    assert read_handshake({"userId": ["alice"], "statuses": ["coarse"], "token": ["x"]}).asks_for_stream
    assert not read_handshake({"afterSeq": ["3"]}).asks_for_stream
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
