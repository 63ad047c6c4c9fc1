"""One id follows an order from the HTTP request or socket action to its end, and is in every line about the order."""

import json
from collections.abc import Iterator
from uuid import UUID

import pytest

from chalicelib.codec.events import data_to_json
from orderengine.testing.handle import VirtualEngine
from tests.support.kit import ORDER, asked, body_of, frames_of, get, opened, post
from tests.support.lines import Line, engine_lines

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
#: The lines of every order that runs to its end.
LIFE = ("accepted", "started", "routed", "submitted", "ended")


@pytest.fixture
def lines() -> Iterator[list[Line]]:
    with engine_lines() as lines:
        yield lines


def place(engine: VirtualEngine, **headers: str) -> tuple[str, str]:
    """Place an order; returns its id and that of the request."""
    response = asked(engine, post("/api/orders/execute", {**ORDER, "simulate": "network_error:1"}, **headers))
    return str(body_of(response)["orderId"]), response.headers["x-request-id"]


def lacking(lines: list[Line], order_id: str, trace_id: str) -> list[Line]:
    """The lines about an order without its trace id. The client's later requests have ids of their own."""
    own = {line["requestId"] for line in lines if line.get("traceId") == trace_id and "requestId" in line}
    return [
        line
        for line in lines
        if line.get("orderId") == order_id
        and line.get("traceId") != trace_id
        and not (line["message"].startswith("GET") and line["requestId"] not in own)
    ]


def test_the_trace_of_a_request_is_in_every_line_frame_and_record_of_its_order(
    engine: VirtualEngine, lines: list[Line]
) -> None:
    order_id, request_id = place(engine, traceparent=TRACEPARENT)
    frames = list(frames_of(opened(engine, f"/ws/orders/{order_id}")))
    events = body_of(asked(engine, get(f"/api/orders/{order_id}/events")))["events"]

    [answered] = [line for line in lines if line["message"].startswith("POST")]
    assert (answered["traceId"], answered["requestId"], answered["orderId"]) == (TRACE, request_id, order_id)
    about = [line for line in lines if line.get("orderId") == order_id]
    assert {line["message"] for line in about} >= {*LIFE, "attempt failed", "stream replayed", "frames pushed"}
    assert not lacking(lines, order_id, TRACE)
    assert all("messageId" in line for line in about if line["message"] in LIFE[1:])
    # An order has no line that does not name it.
    assert not [line for line in lines if line.get("traceId") == TRACE and line.get("orderId") != order_id]

    pending = next(frame for frame in frames if frame.get("status") == "pending")
    assert pending["meta"]["traceId"] == events[0]["meta"]["traceId"] == TRACE
    recorded = engine.orders[order_id].events[0].data
    assert json.loads(data_to_json(recorded))["trace_id"] == TRACE


def test_a_request_without_a_trace_gives_the_order_the_digits_of_its_request_id(
    engine: VirtualEngine, lines: list[Line]
) -> None:
    order_id, request_id = place(engine)
    assert engine.settle()
    assert engine.orders[order_id].trace_id == UUID(request_id).hex
    assert not lacking(lines, order_id, UUID(request_id).hex)


def test_the_trace_of_a_socket_action_is_in_every_line_and_frame_of_its_order(
    engine: VirtualEngine, lines: list[Line]
) -> None:
    socket = opened(engine, "/ws?userId=bot")
    socket.write(json.dumps({"action": "execute_order", **ORDER}))
    updates = [frame for frame in frames_of(socket) if frame["type"] == "ORDER_UPDATE"]
    order_id, trace_id = updates[0]["orderId"], updates[0]["meta"]["traceId"]
    [accepted] = [line for line in lines if line["message"] == "accepted"]
    assert accepted["connectionId"]
    assert {line["message"] for line in lines if line.get("traceId") == trace_id} >= set(LIFE)
    assert not lacking(lines, order_id, trace_id)
    assert engine.orders[order_id].trace_id == trace_id


def test_two_orders_of_one_socket_have_an_id_each(engine: VirtualEngine) -> None:
    socket = opened(engine, "/ws")
    for _ in range(2):
        socket.write(json.dumps({"action": "execute_order", **ORDER}))
    pending = [frame for frame in frames_of(socket) if frame.get("status") == "pending"]
    assert len({frame["meta"]["traceId"] for frame in pending}) == 2


def test_a_worker_that_takes_up_the_order_of_a_dead_one_logs_the_same_id(
    engine: VirtualEngine, lines: list[Line]
) -> None:
    order_id, _ = place(engine, traceparent=TRACEPARENT)
    engine.advance(0.1)
    engine.restart()
    before = len(lines)
    assert engine.settle()
    later = [line["message"] for line in lines[before:] if line.get("orderId") == order_id]
    assert later[-1] == "ended"
    assert not lacking(lines, order_id, TRACE)


def test_orders_that_a_price_triggers_side_by_side_keep_their_own_ids(
    engine: VirtualEngine, lines: list[Line]
) -> None:
    client = engine.client(user="bot")
    engine.price("SOL/USDC", 100)
    placed = [client.submit("SOL", "USDC", "1", limit_price=110).id for _ in range(3)]
    engine.price("SOL/USDC", 130)
    assert engine.settle()
    triggered = [line for line in lines if line["message"] == "triggered"]
    assert {line["orderId"] for line in triggered} == set(placed)
    for order_id in placed:
        trace_id = engine.orders[order_id].trace_id
        assert trace_id
        assert not lacking(lines, order_id, trace_id)
