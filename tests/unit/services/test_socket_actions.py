"""Actions on a socket: idempotency keys, wrong fields, and answers that the socket does not take."""

from typing import Any

import pytest

from chalicelib.codec.exact_json import dumps
from chalicelib.ports.streams import CheckSocket, Connection
from chalicelib.streaming import actions
from tests.support.workbench import Workbench, a_workbench

ORDER = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5", "userId": "alice"}
ORDER_ID = "5c0ffee0-0000-4000-8000-000000000001"


@pytest.fixture
def bench() -> Workbench:
    bench = a_workbench()
    for name in ("me", "other"):
        bench.streams.connect(Connection(name, coarse=False, expires_at=2**40))
    return bench


def say(bench: Workbench, action: str, name: str = "me", **fields: Any) -> list[dict[str, Any]]:
    """Send a message; returns the frames that the socket received meanwhile."""
    before = len(bench.sockets.frames[name])
    body = dumps({"action": action, **fields})
    actions.handle_message(bench.engine, {"requestContext": {"connectionId": name}, "body": body})
    return bench.sockets.frames[name][before:]


def test_a_repeat_of_an_order_is_acknowledged_as_one_and_receives_its_stream(bench: Workbench) -> None:
    ack, begin, first = say(bench, "execute_order", **ORDER, idempotencyKey="k", requestId=1)
    assert "replayed" not in ack
    assert begin == {"type": "live", "orderId": ack["orderId"], "seq": 0}
    assert first["seq"] == 1
    bench.process_all()
    again, *frames, live = say(bench, "execute_order", "other", **ORDER, idempotencyKey="k", requestId=2)
    expected = {"type": "ack", "requestId": 2, "action": "execute_order", "orderId": ack["orderId"], "replayed": True}
    assert again == expected
    assert [frame["seq"] for frame in frames] == [1, 2, 3, 4, 5, 6]
    assert live == {"type": "live", "orderId": ack["orderId"], "seq": 6}
    assert bench.orders.unfinished_of("alice") == []


def test_a_key_is_the_same_over_http_and_on_a_socket(bench: Workbench) -> None:
    ack, *_ = say(bench, "execute_order", **ORDER, idempotencyKey="k")
    stored = bench.orders.get(ack["orderId"])
    assert stored
    again = bench.engine.submit(_caller(bench), stored.order.spec, idempotency_key="k")
    assert (again.order_id, again.replayed) == (ack["orderId"], True)


def _caller(bench: Workbench) -> Any:
    return bench.engine.authenticator.authenticate((), "alice")


def test_a_key_that_came_with_another_order_is_an_error(bench: Workbench) -> None:
    say(bench, "execute_order", **ORDER, idempotencyKey="k")
    other: dict[str, Any] = {**ORDER, "amountIn": 2}
    [error] = say(bench, "execute_order", **other, idempotencyKey="k", requestId="r")
    assert (error["type"], error["code"], error["requestId"]) == ("error", "IDEMPOTENCY_KEY_REUSED", "r")


@pytest.mark.parametrize("key", ["", "x" * 256, "a\u0007b", 7, ["k"], True])
def test_a_key_that_is_not_valid_is_an_error_and_accepts_no_order(bench: Workbench, key: object) -> None:
    [error] = say(bench, "execute_order", **ORDER, idempotencyKey=key)
    assert (error["code"], error["status"]) == ("MALFORMED_KEY", 400)
    assert "idempotencyKey" in error["detail"]
    assert bench.orders.unfinished_of("alice") == []


def test_a_key_that_is_null_counts_as_absent(bench: Workbench) -> None:
    acks = [say(bench, "execute_order", **ORDER, idempotencyKey=None)[0] for _ in range(2)]
    assert acks[0]["orderId"] != acks[1]["orderId"]


@pytest.mark.parametrize(
    ("action", "fields", "code", "wrong"),
    [
        ("ping", {"x": 1}, "MALFORMED_REQUEST", ("x", "UNKNOWN_FIELD")),
        ("unsubscribe", {"orderId": ORDER_ID, "x": 1}, "INVALID_STREAM", ("x", "UNKNOWN_FIELD")),
        ("unsubscribe", {"orderId": ORDER_ID, "afterSeq": 1}, "INVALID_STREAM", ("afterSeq", "UNKNOWN_FIELD")),
        ("subscribe", {"orderId": ORDER_ID, "x": 1}, "INVALID_STREAM", ("x", "UNKNOWN_FIELD")),
        ("subscribe", {"orderId": ORDER_ID, "afterSeq": 5.5}, "INVALID_STREAM", ("afterSeq", "INT_TYPE")),
        (
            "subscribe",
            {"orderId": ORDER_ID, "since": "2026-01-01T00:00:00Z"},
            "INVALID_STREAM",
            ("since", "NOT_ALLOWED"),
        ),
        (
            "subscribe",
            {"userId": "alice", "since": "2999-01-01T00:00:00Z"},
            "INVALID_STREAM",
            ("since", "TIME_OUT_OF_RANGE"),
        ),
        ("subscribe", {"userId": "alice", "since": "now"}, "INVALID_STREAM", ("since", "TIME_INVALID")),
        ("subscribe", {"userId": "alice", "afterSeq": 1}, "INVALID_STREAM", ("afterSeq", "NOT_ALLOWED")),
        ("cancel_order", {"orderId": ORDER_ID, "x": 1}, "INVALID_CANCEL", ("x", "UNKNOWN_FIELD")),
    ],
)
def test_a_wrong_field_is_named(
    bench: Workbench, action: str, fields: dict[str, Any], code: str, wrong: tuple[str, str]
) -> None:
    [error] = say(bench, action, **fields, requestId="r")
    assert (error["type"], error["code"], error["requestId"]) == ("error", code, "r")
    assert [(one["field"], one["code"]) for one in error["errors"]] == [wrong]


def test_a_subscription_to_a_user_takes_a_time(bench: Workbench) -> None:
    say(bench, "execute_order", "other", **ORDER)
    bench.process_all()
    bench.clock.sleep(600)
    since = "2026-01-01T00:00:00Z"
    [ack] = say(bench, "subscribe", userId="alice", since=since)
    assert ack == {"type": "ack", "action": "subscribe", "userId": "alice"}
    [(first, _)] = [one for one in bench.replay_queue.sent if type(one[0]).__name__ == "FollowUser"]
    assert bench.engine.user_streams.looks.look(first)  # type: ignore[arg-type]
    assert [seq for seq, _ in bench.sockets.updates("me")] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("action", [{"action": "ping"}, {"action": "fly"}, {"action": "execute_order", **ORDER}])
def test_a_socket_that_does_not_take_its_answer_is_closed(bench: Workbench, action: dict[str, Any]) -> None:
    bench.sockets.slow.add("me")
    say(bench, **action)
    assert bench.streams.connection("me") is None
    bench.sockets.slow.clear()
    [check] = [one for one, _ in bench.replay_queue.sent if isinstance(one, CheckSocket)]
    bench.engine.ended_credentials.check(check)
    assert bench.sockets.closed == ["me"]
    # An order is accepted nevertheless.
    assert len(bench.orders.unfinished_of("alice")) == ("tokenIn" in action)
