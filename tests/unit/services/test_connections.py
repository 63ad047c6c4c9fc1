"""Sockets that open and ask for a stream at once, while API Gateway does not take pushes for them yet."""

from typing import Any

import pytest

from chalicelib.codec.messages import replay_message
from chalicelib.streaming import connections
from tests.support.workbench import Workbench, a_workbench


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


def connect(bench: Workbench, **query: str) -> None:
    event = {"requestContext": {"connectionId": "me"}, "queryStringParameters": query or None}
    assert connections.connect(bench.engine, event) == {"statusCode": 200}


def bring(bench: Workbench, receives: int = 1) -> bool:
    """Work through what the stream queue holds; whether anything is to be delivered again."""
    records: list[dict[str, Any]] = [
        {
            "messageId": str(number),
            "receiptHandle": str(number),
            "body": replay_message(replay),
            "attributes": {"ApproximateReceiveCount": str(receives)},
        }
        for number, (replay, _) in enumerate(bench.replays.sent)
    ]
    return bool(connections.bring_streams(bench.engine, {"Records": records})["batchItemFailures"])


@pytest.mark.parametrize("stream", ["orderId", "userId"])
def test_a_stream_that_comes_before_the_connection_is_there_is_brought_again(bench: Workbench, stream: str) -> None:
    order_id = bench.submit(user_id="alice")
    connect(bench, **{stream: order_id if stream == "orderId" else "alice"})
    bench.sockets.gone.add("me")
    assert bring(bench) is True
    assert bench.replays.held == [("0", 1)]
    bench.sockets.gone.clear()
    assert bring(bench) is False
    bench.process_all()
    assert [seq for seq, _ in bench.sockets.updates("me")] == [1, 2, 3, 4, 5, 6]


def test_a_connection_that_stays_away_is_given_up(bench: Workbench) -> None:
    order_id = bench.submit()
    connect(bench, orderId=order_id)
    bench.sockets.gone.add("me")
    assert bring(bench, receives=5) is False


def test_a_connection_that_has_closed_is_not_waited_for(bench: Workbench) -> None:
    order_id = bench.submit()
    connect(bench, orderId=order_id)
    connections.disconnect(bench.engine, {"requestContext": {"connectionId": "me"}})
    bench.sockets.gone.add("me")
    assert bring(bench) is False


def test_what_was_asked_for_wrongly_is_said_when_the_connection_is_there(bench: Workbench) -> None:
    connect(bench, orderId="x", afterSeq="-1")
    assert bring(bench) is False
    [frame] = bench.sockets.frames["me"]
    assert (frame["type"], frame["code"]) == ("error", "INVALID_STREAM")
    assert {error["field"] for error in frame["errors"]} == {"orderId", "afterSeq"}


def test_a_coarse_connection_stays_coarse_whatever_it_asks_for(bench: Workbench) -> None:
    order_id = bench.submit()
    connect(bench, orderId=order_id, statuses="coarse")
    assert bring(bench) is False
    assert [frame["status"] for frame in bench.sockets.frames["me"]] == ["queued"]
    assert bench.sockets.frames["me"][0]["detailedStatus"] == "pending"


def test_a_connection_that_names_no_stream_is_just_open(bench: Workbench) -> None:
    connect(bench, afterSeq="3")
    assert bench.replays.sent == []
