"""The events of an order over HTTP: a wait, server-sent events, and the record as it was."""

from collections.abc import Callable
from typing import Any

import pytest
from chalice.app import Chalice

from chalicelib.api.frames import update_frame
from chalicelib.codec.exact_json import loads
from chalicelib.http import callers, orders
from chalicelib.http.application import app
from tests.support.callers import ANYONE
from tests.support.contract import check_answer
from tests.support.open_orders import a_limit, accept
from tests.support.workbench import Workbench, a_workbench

Answer = dict[str, Any]
Call = Callable[..., Answer]

EVENT_STREAM = {"Accept": ["text/event-stream"]}
EVENTS, RECORD = "/api/orders/{order_id}/events", "/api/orders/{order_id}"


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


@pytest.fixture
def order_id(bench: Workbench) -> str:
    """An open limit order at seq 2."""
    return accept(bench, a_limit(900))


@pytest.fixture
def call(bench: Workbench, order_id: str, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Read a route as API Gateway calls it; ``headers`` has the value of each line of a header."""
    for module in (callers, orders):
        monkeypatch.setattr(module, "engine", lambda: bench.engine)

    def request(route: str, headers: dict[str, list[str]] | None = None, method: str = "GET", **query: str) -> Answer:
        return answer_of(app, method, route, order_id, headers or {}, query)

    return request


def answer_of(
    app: Chalice, method: str, route: str, order_id: str, headers: dict[str, list[str]], query: dict[str, str]
) -> Answer:
    answer: Answer = app(
        {
            "requestContext": {"httpMethod": method, "resourcePath": route, "requestId": "r"},
            "headers": {name: values[-1] for name, values in headers.items()},
            "multiValueHeaders": headers,
            "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
            "pathParameters": {"order_id": order_id},
            "stageVariables": None,
            "body": None,
        },
        None,
    )
    path = route.replace("{order_id}", order_id)
    check_answer(method, path, answer["statusCode"], answer["headers"], answer["body"])
    return answer


def test_a_stream_has_the_frames_of_a_socket_and_their_seq(bench: Workbench, order_id: str, call: Call) -> None:
    order, answer = bench.order(order_id), call(EVENTS, EVENT_STREAM)
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    frames = [update_frame(order, event, coarse=False) for event in order.events]
    assert answer["body"] == f"retry: 250\n\nid: 1\ndata: {frames[0]}\n\nid: 2\ndata: {frames[1]}\n\n"


def test_a_stream_without_an_event_says_when_to_ask_again(bench: Workbench, call: Call) -> None:
    began = bench.clock.now()
    answer = call(EVENTS, EVENT_STREAM, afterSeq="2", wait="20")
    assert (answer["statusCode"], answer["body"]) == (200, "retry: 250\n\n: no event\n\n")
    assert (bench.clock.now() - began).total_seconds() == 20


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_stream_ends_with_204_once_every_event_is_sent(
    bench: Workbench, order_id: str, call: Call, method: str
) -> None:
    bench.engine.cancel(ANYONE, order_id)
    assert call(EVENTS, EVENT_STREAM, afterSeq="2", wait="20")["statusCode"] == 200
    for after_seq in ("3", "10000"):
        answer = call(EVENTS, EVENT_STREAM, method, afterSeq=after_seq, wait="20")
        assert (answer["statusCode"], answer["body"]) == (204, "")
        assert "Content-Length" not in answer["headers"]
    assert loads(call(EVENTS, afterSeq="3", wait="20")["body"])["events"] == []


@pytest.mark.parametrize("headers", [EVENT_STREAM, {}], ids=["event stream", "JSON"])
def test_the_last_event_id_wins_over_the_query(call: Call, headers: dict[str, list[str]]) -> None:
    body = call(EVENTS, headers | {"LAST-EVENT-ID": ["1"]}, afterSeq="2")["body"]
    assert ('"seq":2' in body, '"seq":1' in body) == (True, False)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([""], "INT_PARSING"), (["x"], "INT_PARSING"), (["-1"], "INT_PARSING"), (["+1"], "INT_PARSING"),
        (["1.0"], "INT_PARSING"), (["\u0661"], "INT_PARSING"), (["9" * 5000], "LESS_THAN_EQUAL"),
        (["10001"], "LESS_THAN_EQUAL"), (["1", "1"], "REPEATED"),
    ],
)  # fmt: skip
def test_a_bad_last_event_id_is_named(call: Call, lines: list[str], code: str) -> None:
    answer = call(EVENTS, EVENT_STREAM | {"Last-Event-ID": lines}, wait="20")
    problem = loads(answer["body"])
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert (answer["statusCode"], problem["detail"]) == (400, "The header Last-Event-ID is not valid.")
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [("Last-Event-ID", code)]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (["text/event-stream"], "text/event-stream"), (["Text/Event-Stream; q=0.9, */*"], "text/event-stream"),
        (["text/html", "text/event-stream"], "text/event-stream"), (["*/*"], "application/json"),
        ([], "application/json"),
        (["application/json, text/event-stream"], "application/json"), (["text/*"], "application/json"),
        (["text/event-stream;q=0"], "application/json"), (["text/event-stream; q=0.001"], "text/event-stream"),
        ([""], "application/json"), (["application/octet-stream"], "application/json"),
    ],
)  # fmt: skip
def test_events_are_json_unless_the_request_asks_for_a_stream_alone(call: Call, accept: list[str], kind: str) -> None:
    assert call(EVENTS, {"Accept": accept} if accept else {})["headers"]["Content-Type"].startswith(kind)


def test_head_never_waits(bench: Workbench, call: Call) -> None:
    began = bench.clock.now()
    assert call(EVENTS, method="HEAD", afterSeq="2", wait="20")["statusCode"] == 200
    assert bench.clock.now() == began


@pytest.mark.parametrize("wait", ["-1", "21", "x", "1.5", "", "+1", "1e1", "\u0661"])
def test_a_bad_wait_is_named(call: Call, wait: str) -> None:
    answer = call(EVENTS, EVENT_STREAM, wait=wait)
    assert (answer["statusCode"], [error["field"] for error in loads(answer["body"])["errors"]]) == (400, ["wait"])


def test_a_record_shows_the_order_as_it_was(call: Call) -> None:
    answer = call(RECORD, atSeq="1")
    record = loads(answer["body"])
    assert (record["seq"], record["status"], answer["headers"]["ETag"]) == (1, "pending", '"1"')
    assert call(RECORD, atSeq="2")["body"] == call(RECORD)["body"]


@pytest.mark.parametrize(
    ("at_seq", "code"),
    [("0", "GREATER_THAN_EQUAL"), ("-1", "INT_PARSING"), ("x", "INT_PARSING"), ("3", "SEQ_BEYOND_END")],
)
def test_a_record_of_no_event_is_refused(call: Call, at_seq: str, code: str) -> None:
    answer = call(RECORD, atSeq=at_seq)
    [error] = loads(answer["body"])["errors"]
    assert (answer["statusCode"], error["field"], error["code"]) == (400, "atSeq", code)
    assert code != "SEQ_BEYOND_END" or error["message"] == "must be at most 2, the seq of the order's last event"
