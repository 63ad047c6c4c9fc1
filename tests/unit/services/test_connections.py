"""Connections whose address asks for a stream, while API Gateway does not accept pushes to them yet."""

from typing import Any

import pytest

from chalicelib.codec.replays import replay_message
from chalicelib.consumers.streams import replay_streams
from chalicelib.streaming import connections
from tests.support.workbench import Workbench, a_workbench


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


def connect(bench: Workbench, **query: str | list[str]) -> None:
    parameters = {name: [values] if isinstance(values, str) else values for name, values in query.items()}
    event = {"requestContext": {"connectionId": "me"}, "multiValueQueryStringParameters": parameters or None}
    assert connections.connect(bench.engine, event) == {"statusCode": 200}


def replay(bench: Workbench, receives: int = 1) -> bool:
    """Process the messages of the replay queue; returns whether it must deliver any again."""
    records: list[dict[str, Any]] = [
        {
            "messageId": str(number),
            "receiptHandle": str(number),
            "body": replay_message(sent),
            "attributes": {"ApproximateReceiveCount": str(receives)},
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


def test_the_last_delivery_gives_up_a_connection_that_still_refuses_pushes(bench: Workbench) -> None:
    order_id = bench.submit()
    connect(bench, orderId=order_id)
    bench.sockets.gone.add("me")
    assert replay(bench, receives=5) is False


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
    assert [frame["status"] for frame in bench.sockets.frames["me"]] == ["queued"]
    assert bench.sockets.frames["me"][0]["detailedStatus"] == "pending"


def test_a_position_without_an_order_or_user_queues_no_replay(bench: Workbench) -> None:
    connect(bench, afterSeq="3")
    assert bench.replay_queue.sent == []


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
    assert len(bench.sockets.frames["me"]) == 1


def test_a_replay_does_not_wait_for_a_connection_that_is_closed_by_then(bench: Workbench) -> None:
    order_id = bench.submit()
    connect(bench, orderId=order_id)
    connections.disconnect(bench.engine, {"requestContext": {"connectionId": "me"}})
    bench.sockets.gone.add("me")
    began_ms = bench.clock.now_ms()
    assert replay(bench) is False
    assert bench.clock.now_ms() < began_ms + 100
