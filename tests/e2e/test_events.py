"""The events call on the deployed system: waits, server-sent events, and the record as it was at an event."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.ports.event_waits import MAX_WAIT_SECONDS
from infra.local.environments import MAX_ENVIRONMENTS
from tests.e2e.client import Client, Json, an_order, parse
from tests.support.stack import RunningStack

pytestmark = pytest.mark.usefixtures("leaves_no_open_orders")

EVENT_STREAM = {"Accept": "text/event-stream"}
#: Half of the environments that the emulator runs of the API.
MAX_WAITS = MAX_ENVIRONMENTS // 2
_TERMINAL = {"completed", "failed", "cancelled", "expired"}


@pytest.fixture(params=["front door", "bare API"])
def reader(request: pytest.FixtureRequest, stack: RunningStack) -> Client:
    return reader_of(stack, "http" if request.param == "front door" else "rest")


def reader_of(stack: RunningStack, door: str = "http") -> Client:
    """A client with a connection of its own."""
    return Client(stack.endpoints[door], stack.endpoints["ws"], stack.key)


@pytest.fixture
def waiting(client: Client) -> Iterator[str]:
    """An open order at seq 2."""
    order_id = client.accept(**an_order(type="limit", limitPrice=100_000, slippage=None))["orderId"]
    yield order_id
    if not client.engine.status(order_id).is_terminal:
        client.engine.cancel(order_id)


def waits(client: Client, order_id: str) -> list[Json]:
    """The events of the order as a client that waits for each of them gets them."""
    found: list[Json] = []
    while not found or found[-1]["phase"] not in _TERMINAL:
        answer = client.get(f"/api/orders/{order_id}/events", afterSeq=len(found), wait=MAX_WAIT_SECONDS)
        assert answer.status_code == 200, answer.text
        found += parse(answer.text)["events"]
    return found


def event_source(client: Client, order_id: str) -> tuple[list[str], list[Json]]:
    """The ids and frames that an EventSource gets: it repeats its address until the answer is 204."""
    ids: list[str] = []
    frames: list[Json] = []
    last_id: dict[str, str] = {}
    path = f"/api/orders/{order_id}/events?wait={MAX_WAIT_SECONDS}"
    while (answer := client.request("GET", path, **EVENT_STREAM, **last_id)).status_code == 200:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.text.splitlines()
        assert lines[0] == "retry: 250"
        ids += [line.removeprefix("id: ") for line in lines if line.startswith("id: ")]
        frames += [parse(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
        last_id = {"Last-Event-ID": ids[-1]} if ids else {}
    assert (answer.status_code, answer.content) == (204, b"")
    return ids, frames


@pytest.mark.parametrize("simulate", [None, "slow:300", "network_error:1"])
def test_a_wait_and_an_event_source_beside_a_socket_give_the_same(
    client: Client, stack: RunningStack, simulate: str | None
) -> None:
    order_id = client.accept(simulate=simulate)["orderId"]
    with client.socket(f"/ws/orders/{order_id}") as socket, ThreadPoolExecutor(2) as pool:
        waited = pool.submit(waits, reader_of(stack), order_id)
        sourced = pool.submit(event_source, reader_of(stack), order_id)
        socket.until_terminal(order_id)
        events, (ids, frames) = waited.result(), sourced.result()
    updates = [frame for frame in socket.frames if frame["type"] == "ORDER_UPDATE"]
    assert frames == updates
    assert ids == [str(update["seq"]) for update in updates]
    of_the_order = {"type": "ORDER_UPDATE", "orderId": order_id, "userId": updates[0]["userId"]}
    assert [of_the_order | event for event in events] == updates


@pytest.mark.parametrize("headers", [{}, EVENT_STREAM], ids=["JSON", "event stream"])
def test_a_wait_ends_with_its_event(client: Client, reader: Client, waiting: str, headers: dict[str, str]) -> None:
    path = f"/api/orders/{waiting}/events?afterSeq=2&wait={MAX_WAIT_SECONDS}"
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(reader.request, "GET", path, **headers)
        client.engine.amend(waiting, limit_price=90_000)
        found = answer.result()
    assert found.status_code == 200
    assert ('"seq":3' in found.text, '"seq":2' in found.text) == (True, False)


def test_an_ended_order_ends_every_wait_at_once(client: Client, reader: Client, waiting: str) -> None:
    client.engine.cancel(waiting)
    for after_seq in (3, 4, 10_000):
        path = f"/api/orders/{waiting}/events?afterSeq={after_seq}&wait={MAX_WAIT_SECONDS}"
        assert parse(reader.request("GET", path).text) == {"orderId": waiting, "events": []}
        for method in ("GET", "HEAD"):
            ended = reader.request(method, path, **EVENT_STREAM)
            assert (ended.status_code, ended.content) == (204, b"")


def test_a_stream_without_an_event_in_time_is_a_comment(reader: Client, waiting: str) -> None:
    answer = reader.request("GET", f"/api/orders/{waiting}/events?afterSeq=2&wait=1", **EVENT_STREAM)
    assert (answer.status_code, answer.text) == (200, "retry: 250\n\n: no event\n\n")


def test_head_never_waits(client: Client, waiting: str) -> None:
    path = f"/api/orders/{waiting}/events?afterSeq=2&wait={MAX_WAIT_SECONDS}"
    began = time.monotonic()
    heads = [client.request("HEAD", path) for _ in range(MAX_WAITS)]
    assert {(head.status_code, head.content) for head in heads} == {(200, b"")}
    assert time.monotonic() - began < MAX_WAIT_SECONDS


def test_beyond_the_limit_a_wait_is_refused_and_other_calls_are_answered(
    client: Client, stack: RunningStack, waiting: str
) -> None:
    def wait(_: int) -> Any:
        return reader_of(stack).get(f"/api/orders/{waiting}/events", afterSeq=2, wait=MAX_WAIT_SECONDS)

    with ThreadPoolExecutor(MAX_WAITS + 1) as pool:
        asked = [pool.submit(wait, number) for number in range(MAX_WAITS + 1)]
        refused = next(as_completed(asked)).result()
        assert client.record(waiting)["seq"] == 2
        assert client.engine.events(waiting, after=2) == []
        client.engine.cancel(waiting)
        answers = [answer.result() for answer in asked]
    assert sorted(answer.status_code for answer in answers) == [*[200] * MAX_WAITS, 429]
    assert {event["seq"] for answer in answers for event in parse(answer.text).get("events", [])} == {3}
    problem = parse(refused.text)
    assert (problem["status"], problem["code"]) == (429, "TOO_MANY_WAITS")
    assert refused.headers["retry-after"] == str(problem["retryAfter"]) == str(MAX_WAIT_SECONDS // MAX_WAITS)


@pytest.mark.parametrize(
    ("query", "headers", "field"),
    [
        *(({"wait": wait}, {}, "wait") for wait in ("-1", "21", "soon", "1.5", "")),
        *(({"wait": wait}, EVENT_STREAM, "wait") for wait in ("-1", "21", "soon")),
        ({"afterSeq": "x"}, EVENT_STREAM, "afterSeq"),
        *(({}, {"Last-Event-ID": last_id}, "Last-Event-ID") for last_id in ("x", "-1", "1.5", "99999")),
        ({}, {**EVENT_STREAM, "Last-Event-ID": "x"}, "Last-Event-ID"),
    ],
)
def test_a_bad_question_for_events_is_named(
    reader: Client, waiting: str, query: dict[str, str], headers: dict[str, str], field: str
) -> None:
    answer = reader.send("GET", f"/api/orders/{waiting}/events", query, None, headers)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert [error["field"] for error in parse(answer.text)["errors"]] == [field]


def test_an_amended_order_is_shown_as_it_was_at_each_event(client: Client, reader: Client, waiting: str) -> None:
    records = [client.record(waiting)]
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    changes: list[Json] = [{"limit_price": 90_000}, {"slippage": 3}, {"expires_at": tomorrow}]
    for change in changes:
        client.engine.amend(waiting, **change)
        records.append(client.record(waiting))
    client.engine.cancel(waiting)
    records.append(client.record(waiting))
    assert [record["seq"] for record in records] == [2, 3, 4, 5, 6]
    for record in records:
        answer = reader.get(f"/api/orders/{waiting}", atSeq=record["seq"])
        assert (parse(answer.text), answer.headers["etag"]) == (record, f'"{record["seq"]}"')
    assert parse(reader.get(f"/api/orders/{waiting}", atSeq=1).text)["status"] == "pending"


@pytest.mark.parametrize(
    ("at_seq", "code"),
    [("0", "GREATER_THAN_EQUAL"), ("x", "INT_PARSING"), ("-1", "INT_PARSING"), ("3", "SEQ_BEYOND_END")],
)
def test_a_record_at_no_event_is_refused(reader: Client, waiting: str, at_seq: str, code: str) -> None:
    answer = reader.get(f"/api/orders/{waiting}", atSeq=at_seq)
    [error] = parse(answer.text)["errors"]
    assert (answer.status_code, error["field"], error["code"]) == (400, "atSeq", code)
