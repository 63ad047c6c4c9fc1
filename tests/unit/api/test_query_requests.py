"""Query parameters of the list of orders and of its events."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.api.errors import InvalidOrderError
from chalicelib.api.requests.fields import RequestModel, validated
from chalicelib.api.requests.queries import (
    EventsModel,
    ListModel,
    OrderIdModel,
    StatsModel,
    repeated_parameters,
)


def refused(model: type[RequestModel], **query: Any) -> set[str]:
    with pytest.raises(InvalidOrderError) as caught:
        validated(model, query)
    return {error.field for error in caught.value.errors}


def test_a_list_without_filters_has_the_fifty_newest_orders() -> None:
    wanted = validated(ListModel, {})
    assert wanted.limit == 50
    assert wanted.as_filter() == type(wanted.as_filter())()


def test_every_filter_is_read_from_text() -> None:
    query = {
        "userId": "alice",
        "status": "confirmed",
        "type": "market",
        "pair": "SOL/USDC",
        "clientOrderId": "mine",
        "from": "2026-01-31T12:00:00.001Z",
        "to": "2026-01-31T14:00:00+01:00",
        "limit": "200",
    }
    wanted = validated(ListModel, query)
    found = wanted.as_filter()
    assert (wanted.limit, found.user_id, found.client_order_id) == (200, "alice", "mine")
    assert (found.status, found.type) == ("confirmed", "market")
    assert found.since == datetime(2026, 1, 31, 12, 0, 0, 1000, UTC)
    assert found.until == datetime(2026, 1, 31, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    "pair", ["SOL/USDC", "USDC/SOL", "SOL-USDC", "So11111111111111111111111111111111111111112/USDC"]
)
def test_a_filter_accepts_every_name_of_a_pair(pair: str) -> None:
    assert validated(ListModel, {"pair": pair}).pair == "SOL/USDC"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"), ("limit", "201"), ("limit", "-1"), ("limit", "many"), ("limit", "1.5"), ("limit", ""),
        ("limit", "1_0"), ("limit", " 5"), ("limit", "+5"), ("limit", "5.0"), ("limit", "\u0665"),
        ("limit", "9" * 500),
        ("status", "done"), ("status", ""), ("type", "stop"), ("userId", "a b"), ("userId", ""),
        ("pair", "SOL"), ("pair", "SOL/"), ("pair", "SOL/SOL"), ("pair", "BONK/JUP"), ("pair", "SOL/USDC/RAY"),
        ("from", "yesterday"), ("from", "2026-01-31T12:00:00"), ("to", ""), ("to", "0001-01-01T00:00:00+14:00"),
        ("from", "20260101T000000Z"), ("from", "2026-W01-1T00:00:00Z"), ("to", "2026-01-01 00:00:00Z"),
        ("to", "2026-01-01T00:00:00,5Z"), ("to", "2026-01-01T00Z"), ("from", "2026-01-01T00:00:00+01:02:03"),
        ("clientOrderId", "x" * 256), ("clientOrderId", "a\x00b"), ("clientOrderId", "M\ufffdller-7"),
        ("cursor", "x" * 513), ("colour", "red"),
    ],
)  # fmt: skip
def test_an_invalid_filter_is_refused(name: str, value: str) -> None:
    assert refused(ListModel, **{name: value}) == {name}


def test_all_invalid_filters_are_reported_together() -> None:
    bad = {"limit": "0", "status": "done", "from": "x", "pair": "x", "userId": "a b", "colour": "red"}
    assert refused(ListModel, **bad) == set(bad)


def test_a_time_of_a_filter_follows_the_rule_of_every_time() -> None:
    since = validated(ListModel, {"from": "2026-01-31t12:00:00.5z"}).since
    assert since == datetime(2026, 1, 31, 12, 0, 0, 500_000, UTC)


@pytest.mark.parametrize("time", ["2016-12-31T23:59:60Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59"])
def test_a_well_formed_time_that_cannot_be_is_refused_with_the_true_reason(time: str) -> None:
    with pytest.raises(InvalidOrderError) as refusal:
        validated(ListModel, {"from": time})
    [error] = refusal.value.errors
    assert error.message == "must be a time of the years 1 to 9999, and not a leap second"


def test_every_parameter_that_is_given_more_than_once_is_reported() -> None:
    found = repeated_parameters({"limit": ["1", "1"], "status": ["open"], "userId": ["a", "b", "c"]})
    assert [(error.field, error.code) for error in found] == [("limit", "REPEATED"), ("userId", "REPEATED")]


@pytest.mark.parametrize("after_seq", ["-1", "x", "1.5", "", "1_0", " 5", "+5", "10001", "9" * 20])
def test_after_seq_is_a_number_and_defaults_to_zero(after_seq: str) -> None:
    assert refused(EventsModel, afterSeq=after_seq) == {"afterSeq"}
    assert validated(EventsModel, {"afterSeq": "3"}).after_seq == 3
    assert validated(EventsModel, {}).after_seq == 0


def test_the_id_in_a_path_is_a_uuid() -> None:
    assert refused(OrderIdModel, orderId="not-a-uuid") == {"orderId"}


# --- statistics ---------------------------------------------------------------------------------------------


def test_statistics_without_a_query_leave_the_window_and_the_user_open() -> None:
    wanted = validated(StatsModel, {})
    assert (wanted.user_id, wanted.since, wanted.until) == (None, None, None)


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2016-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        {"from": "2099-01-01T00:00:00Z"},
        {"to": "0001-01-01T00:00:00Z"},
        {"from": "2026-01-31T12:00:00Z", "to": "2026-01-31T14:00:00.001+02:00"},
    ],
)
def test_a_window_of_statistics_may_be_of_any_length_and_anywhere(query: dict[str, str]) -> None:
    assert validated(StatsModel, query)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"from": "2026-01-31T12:00:00Z", "to": "2026-01-31T12:00:00Z"}, {("to", "WINDOW_EMPTY")}),
        ({"from": "2026-01-31T12:00:00Z", "to": "2026-01-31T12:00:00+01:00"}, {("to", "WINDOW_EMPTY")}),
        ({"from": "yesterday", "to": "2026-01-31"}, {("from", "TIME_INVALID"), ("to", "TIME_INVALID")}),
        ({"from": ""}, {("from", "TIME_INVALID")}),
        ({"to": "1769860800"}, {("to", "TIME_INVALID")}),
        ({"userId": "a b"}, {("userId", "USER_ID_INVALID")}),
        ({"since": "2026-01-31T12:00:00Z"}, {("since", "UNKNOWN_FIELD")}),
        ({"userID": "alice"}, {("userID", "UNKNOWN_FIELD")}),
    ],
)
def test_a_bad_query_of_statistics_is_refused(query: dict[str, str], expected: set[tuple[str, str]]) -> None:
    with pytest.raises(InvalidOrderError) as caught:
        validated(StatsModel, query)
    assert {(error.field, error.code.value) for error in caught.value.errors} == expected
