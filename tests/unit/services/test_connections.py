"""Connections whose address asks for a stream, while API Gateway does not accept pushes to them yet."""

from typing import Any

import pytest

from chalicelib.codec.replays import replay_message
from chalicelib.consumers.streams import replay_streams
from chalicelib.ports.streams import CheckSocket, RetrySocket, Subscriber
from chalicelib.services.streams.dropped_sockets import MAX_LAG_SECONDS
from chalicelib.streaming import connections
from tests.support.workbench import Workbench, a_workbench


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


def connect(bench: Workbench, **query: str | list[str]) -> None:
    parameters = {name: [values] if isinstance(values, str) else values for name, values in query.items()}
    event = {"requestContext": {"connectionId": "me"}, "multiValueQueryStringParameters": parameters or None}
    assert connections.connect(bench.engine, event) == {"statusCode": 200}


def replay(bench: Workbench, receives: int = 1, first_received_ms: int | None = None) -> bool:
    """Process the messages of the replay queue; returns whether it must deliver any again."""
    records: list[dict[str, Any]] = [
        {
            "messageId": str(number),
            "receiptHandle": str(number),
            "body": replay_message(sent),
            "attributes": {
                "ApproximateReceiveCount": str(receives),
                "ApproximateFirstReceiveTimestamp": str(first_received_ms or bench.clock.now_ms()),
            },
        }
        for number, (sent, _) in enumerate(bench.replay_queue.sent)
    ]
    return bool(replay_streams(bench.engine, {"Records": records})["batchItemFailures"])


@pytest.mark.parametrize("stream", ["orderId", "userId"])
def test_the_queue_delivers_a_replay_again_until_the_connection_accepts_pushes(bench: Workbench, stream: str) -> None:
    order_id = bench.submit(user_id="alice")
    connect(bench, **{stream: order_id if stream == "orderId" else "alice"})
    bench.sockets.gone.add("me")
    assert replay(bench) is True
    assert bench.replay_queue.held == [("0", 1)]
    bench.sockets.gone.clear()
    assert replay(bench) is False
    bench.process_all()
    assert [seq for seq, _ in bench.sockets.updates("me")] == [1, 2, 3, 4, 5, 6]


def test_the_last_delivery_forgets_a_connection_that_still_refuses_pushes_and_has_it_closed(bench: Workbench) -> None:
    order_id = bench.submit()
    connect(bench, orderId=order_id)
    bench.sockets.gone.add("me")
    assert replay(bench, receives=5) is False
    assert bench.streams.connection("me") is None
    # The gateway may know the connection later.
    assert bench.replay_queue.sent[1:] == [(CheckSocket("me", ends_at=0), 15)]


def test_a_replay_that_fails_until_its_frames_would_be_late_closes_the_socket(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(bench, orderId=bench.submit())

    def down(*args: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(bench.orders, "get", down)
    for receives, closed in ((1, []), (2, []), (3, ["me"])):
        assert replay(bench, receives) is True, "the dead-letter queue keeps a message that never succeeds"
        assert bench.sockets.closed == closed


@pytest.mark.parametrize("stream", ["orderId", "userId"])
def test_a_replay_whose_workers_were_killed_until_it_is_late_closes_the_socket(bench: Workbench, stream: str) -> None:
    connect(bench, **{stream: bench.submit(user_id="alice") if stream == "orderId" else "alice"})
    first_received_ms = bench.clock.now_ms()
    bench.clock.sleep(MAX_LAG_SECONDS)
    assert replay(bench, 4, first_received_ms) is False
    assert (bench.sockets.frames["me"], bench.streams.connection("me")) == ([], None)


def test_a_retry_knows_since_when_its_socket_is_late(bench: Workbench) -> None:
    order_id = bench.submit()
    connect(bench, orderId=order_id)
    bench.sockets.slow.add("me")
    late_since_ms = bench.clock.now_ms()
    for _ in range(2):
        assert replay(bench) is False
        bench.replay_queue.sent = bench.replay_queue.sent[-1:]
        bench.clock.sleep(5)
    [(retry, _)] = bench.replay_queue.sent
    assert isinstance(retry, RetrySocket)
    assert (retry.tries, retry.late_since_ms) == (2, late_since_ms)


def test_a_message_of_an_earlier_version_is_replayed_at_any_time(bench: Workbench) -> None:
    order_id = bench.submit()
    connect(bench)
    bench.replay_queue.sent = [(RetrySocket(Subscriber("me"), order_id, 0, 1), 0)]
    bench.clock.sleep(600)
    assert replay(bench) is False
    assert bench.sockets.updates("me") == [(1, "pending")]


def test_a_socket_that_does_not_take_an_error_is_closed(bench: Workbench) -> None:
    connect(bench, orderId="x")
    bench.sockets.slow.add("me")
    assert replay(bench) is False
    assert bench.streams.connection("me") is None
    assert bench.replay_queue.sent[1:] == [(CheckSocket("me", ends_at=0), 15)]


def test_a_replay_for_a_closed_connection_is_not_delivered_again(bench: Workbench) -> None:
    order_id = bench.submit()
    connect(bench, orderId=order_id)
    connections.disconnect(bench.engine, {"requestContext": {"connectionId": "me"}})
    bench.sockets.gone.add("me")
    assert replay(bench) is False


def test_an_invalid_stream_request_is_answered_once_the_connection_accepts_pushes(bench: Workbench) -> None:
    connect(bench, orderId="x", afterSeq="-1")
    assert replay(bench) is False
    [frame] = bench.sockets.frames["me"]
    assert (frame["type"], frame["code"]) == ("error", "INVALID_STREAM")
    assert {error["field"] for error in frame["errors"]} == {"orderId", "afterSeq"}


def test_a_coarse_connection_receives_coarse_frames(bench: Workbench) -> None:
    order_id = bench.submit()
    connect(bench, orderId=order_id, statuses="coarse")
    assert replay(bench) is False
    assert bench.sockets.updates("me") == [(1, "queued")]
    assert bench.sockets.frames["me"][0]["detailedStatus"] == "pending"


@pytest.mark.parametrize("query", [{"afterSeq": "3"}, {"since": "2026-01-01T00:00:00Z"}])
def test_a_position_without_an_order_or_user_is_told(bench: Workbench, query: dict[str, str]) -> None:
    connect(bench, **query)
    assert replay(bench) is False
    [frame] = bench.sockets.frames["me"]
    assert [(error["field"], error["code"]) for error in frame["errors"]] == [(*query, "NOT_ALLOWED")]


def test_a_wrong_parameter_is_told_on_the_open_socket_and_starts_no_stream(bench: Workbench) -> None:
    order_id = bench.submit()
    connect(bench, orderId=[order_id, order_id], statuses="fine", message="1")
    assert replay(bench) is False
    [frame] = bench.sockets.frames["me"]
    assert (frame["type"], frame["code"]) == ("error", "INVALID_STREAM")
    assert {error["field"] for error in frame["errors"]} == {"orderId", "statuses", "message"}
    bench.process_all()
    assert bench.sockets.updates("me") == []


def test_a_wrong_parameter_is_told_even_if_no_stream_is_asked_for(bench: Workbench) -> None:
    connect(bench, statuses="Coarse")
    assert replay(bench) is False
    assert [frame["code"] for frame in bench.sockets.frames["me"]] == ["INVALID_STREAM"]


def test_no_message_holds_a_token(bench: Workbench) -> None:
    connect(bench, token=["secret", "secret"], access_token="secret", orderId=bench.submit())
    assert "secret" not in repr(bench.replay_queue.sent)


@pytest.mark.parametrize("offer", ["orders.v1", "other, orders.v1", "other,orders.v1 ,third"])
def test_the_known_subprotocol_is_answered_if_it_is_offered(bench: Workbench, offer: str) -> None:
    event = {"requestContext": {"connectionId": "me"}, "headers": {"sec-websocket-protocol": offer}}
    assert connections.connect(bench.engine, event)["headers"] == {"Sec-WebSocket-Protocol": "orders.v1"}


def test_an_unknown_subprotocol_is_ignored(bench: Workbench) -> None:
    event = {"requestContext": {"connectionId": "me"}, "headers": {"Sec-WebSocket-Protocol": "orders.v2, graphql-ws"}}
    assert connections.connect(bench.engine, event) == {"statusCode": 200}


@pytest.mark.parametrize("stream", ["orderId", "userId", "afterSeq"])
def test_a_replay_that_comes_before_the_connection_is_open_waits_some_milliseconds(
    bench: Workbench, stream: str
) -> None:
    order_id = bench.submit(user_id="alice")
    connect(bench, **{stream: {"orderId": order_id, "userId": "alice", "afterSeq": "-1"}[stream]})
    bench.sockets.gone.add("me")
    began_ms, sleep = bench.clock.now_ms(), bench.clock.sleep

    def return_from_connect(seconds: float) -> None:
        sleep(seconds)
        bench.sockets.gone.clear()

    object.__setattr__(bench.engine.opening.sockets, "sleep", return_from_connect)
    assert replay(bench) is False
    assert bench.clock.now_ms() == began_ms + 10
    kinds = {"orderId": ["ORDER_UPDATE", "live"], "userId": ["ORDER_UPDATE"], "afterSeq": ["error"]}
    assert [frame["type"] for frame in bench.sockets.frames["me"]] == kinds[stream]


def test_a_replay_does_not_wait_for_a_connection_that_is_closed_by_then(bench: Workbench) -> None:
    order_id = bench.submit()
    connect(bench, orderId=order_id)
    connections.disconnect(bench.engine, {"requestContext": {"connectionId": "me"}})
    bench.sockets.gone.add("me")
    began_ms = bench.clock.now_ms()
    assert replay(bench) is False
    assert bench.clock.now_ms() < began_ms + 100
