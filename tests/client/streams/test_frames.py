"""Frames as they come on a socket."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderengine.core.streams.frames import BadFrame, Live, Notice, Refusal, read_frame
from orderengine.models.orders import Update

BODY = {
    "type": "ORDER_UPDATE",
    "orderId": "o",
    "userId": "u",
    "seq": 2,
    "status": "routing",
    "phase": "processing",
    "attempt": 1,
    "at": "2026-11-01T12:00:00.123Z",
    "meta": {"price": 1.10},
}


def test_an_update_has_exact_numbers_and_its_new_fields() -> None:
    frame = read_frame(json.dumps({**BODY, "news": True}).replace("1.1", "1.10"))
    assert isinstance(frame, Update)
    assert str(frame.meta["price"]) == "1.10"
    assert frame.raw["news"] is True


def test_a_coarse_frame_has_its_detailed_status() -> None:
    frame = read_frame(json.dumps({**BODY, "status": "processing", "detailedStatus": "building"}))
    assert isinstance(frame, Update)
    assert (frame.status, frame.phase) == ("building", "processing")


def test_live_frames_of_orders_and_users_are_told_apart() -> None:
    order, user = (
        read_frame('{"type":"live","orderId":"o","seq":3}'),
        read_frame('{"type":"live","userId":"u","at":"2026-11-01T12:00:00Z"}'),
    )
    assert isinstance(order, Live)
    assert isinstance(user, Live)
    assert (order.seq, order.at, user.at is not None) == (3, None, True)


def test_a_kind_that_the_client_does_not_know_is_a_notice() -> None:
    assert read_frame('{"type":"weather","of":["tomorrow"]}') == Notice("weather")


@pytest.mark.parametrize(
    ("status", "is_final"),
    [(400, True), (401, True), (403, True), (404, True), (429, False), (500, False), (503, False)],
)
def test_the_status_of_an_error_tells_whether_it_is_final(status: int, is_final: bool) -> None:
    frame = read_frame(json.dumps({"type": "error", "status": status, "code": "SOME_CODE", "retryAfter": 3}))
    assert isinstance(frame, Refusal)
    assert (frame.is_final, frame.retry_after) == (is_final, 3.0)


@pytest.mark.parametrize(
    ("asked", "seconds"), [("-5", 0.0), ("7", 7.0), ("86400", 300.0), ("9" * 400, 300.0), ("true", 0.0), ("1.5", 0.0)]
)
def test_an_error_asks_for_a_pause_from_zero_to_five_minutes(asked: str, seconds: float) -> None:
    frame = read_frame(f'{{"type":"error","status":503,"code":"UNAVAILABLE","retryAfter":{asked}}}')
    assert isinstance(frame, Refusal)
    assert frame.retry_after == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "[]",
        "null",
        "{}",
        '{"type": 1}',
        '{"type":"ORDER_UPDATE"}',
        json.dumps({**BODY, "seq": 0}),
        json.dumps({**BODY, "seq": "2"}),
        json.dumps({**BODY, "at": "noon"}),
        json.dumps({**BODY, "orderId": ""}),
        '{"type":"live"}',
        '{"type":"live","orderId":"o","seq":true}',
        '{"type":"live","userId":"u","at":"2026-11-01"}',
        '{"type":"live","userId":"u","at":NaN}',
    ],
)
def test_what_is_no_frame_is_a_bad_frame(text: str) -> None:
    with pytest.raises(BadFrame):
        read_frame(text)


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_no_text_makes_the_reader_fail_otherwise(text: str) -> None:
    try:
        read_frame(text)
    except BadFrame:
        return


@given(st.sampled_from(sorted(BODY)), st.none() | st.integers() | st.text() | st.lists(st.integers()))
def test_no_value_of_a_field_makes_the_reader_fail_otherwise(name: str, value: object) -> None:
    try:
        read_frame(json.dumps({**BODY, name: value}))
    except BadFrame:
        return
