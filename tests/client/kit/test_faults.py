"""What the kit lets go wrong: venues, answers, frames, sockets and processes."""

import json
from collections import Counter

import pytest

from chalicelib.domain.status import Status
from chalicelib.streaming import connections
from orderengine.core.commands import HandshakeRefused, SocketClosed, Unreachable
from orderengine.testing import gateway
from orderengine.testing.handle import VirtualEngine
from tests.support.kit import (
    ORDER,
    asked,
    body_of,
    frames_of,
    get,
    opened,
    place,
    post,
    seqs_of,
)


def test_the_next_orders_get_a_fault_of_the_venues(engine: VirtualEngine) -> None:
    engine.faults.add("tx_dropped:1", orders=1)
    hit, missed = place(engine), place(engine)
    engine.settle()
    assert (engine.orders[hit].attempts, engine.orders[missed].attempts) == (2, 1)
    engine.faults.add("no_liquidity")
    failed = [place(engine), place(engine)]
    engine.faults.clear()
    spared = place(engine)
    engine.settle()
    assert {engine.orders[order_id].status for order_id in failed} == {Status.FAILED}
    assert engine.orders[spared].status is Status.CONFIRMED


def test_a_counted_fault_comes_before_a_lasting_one(engine: VirtualEngine) -> None:
    engine.faults.add("no_liquidity")
    engine.faults.add("tx_dropped:1", orders=1)
    first, second = place(engine), place(engine)
    engine.faults.add("network_error:1")
    third = place(engine)
    engine.settle()
    faults = [engine.orders[order_id].spec.simulate for order_id in (first, second, third)]
    assert faults == ["tx_dropped:1", "no_liquidity", "network_error:1"]


@pytest.mark.engine(max_open_orders_per_user=1)
def test_a_refused_order_uses_no_fault_up(engine: VirtualEngine) -> None:
    limit = {**ORDER, "type": "limit", "limitPrice": "900"}
    place(engine, type="limit", limitPrice="900")
    engine.faults.add("no_liquidity", orders=1)
    assert asked(engine, post("/api/orders/execute", limit, idempotency_key="k")).status == 429
    accepted = place(engine)
    assert engine.orders[accepted].spec.simulate == "no_liquidity"


def test_a_fault_is_for_one_order_at_least(engine: VirtualEngine) -> None:
    for orders in (0, -1, True, "2"):
        with pytest.raises(ValueError, match="orders is a whole number from 1 on"):
            engine.faults.add("no_liquidity", orders=orders)  # type: ignore[arg-type]


def test_a_fault_that_there_is_not_is_refused_with_those_that_there_are(engine: VirtualEngine) -> None:
    with pytest.raises(ValueError, match="network_error:n"):
        engine.faults.add("earthquake")


def test_a_lost_answer_leaves_an_order_that_its_key_finds_again(engine: VirtualEngine) -> None:
    engine.faults.add("network_error:1", orders=1)
    engine.lose_answers(1)
    request = post("/api/orders/execute", ORDER, idempotency_key="k")
    with pytest.raises(Unreachable) as lost:
        asked(engine, request)
    assert lost.value.sent
    [order_id] = engine.orders
    again = asked(engine, request)
    assert (body_of(again)["orderId"], again.headers["idempotent-replayed"]) == (order_id, "true")


def test_a_share_of_the_answers_gets_lost(engine: VirtualEngine) -> None:
    engine.lose_answers(rate=0.5)
    lost = 0
    for _ in range(40):
        try:
            asked(engine, get("/health"))
        except Unreachable:
            lost += 1
    assert 5 < lost < 35


def test_a_duplicated_frame_arrives_twice(engine: VirtualEngine) -> None:
    engine.duplicate_frames(times=2)
    assert seqs_of(opened(engine, f"/ws/orders/{place(engine)}")) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]


def test_a_cut_socket_loses_what_was_under_way_and_a_new_one_brings_it(engine: VirtualEngine) -> None:
    order_id = place(engine)
    socket = opened(engine, f"/ws/orders/{order_id}")
    engine.advance("1s")
    engine.cut_sockets()
    with pytest.raises(SocketClosed) as cut:
        socket.receive(10)
    assert cut.value.code == 1006
    with pytest.raises(SocketClosed):
        socket.write("{}")
    assert seqs_of(opened(engine, f"/ws/orders/{order_id}?afterSeq=3")) == [4, 5, 6]


def test_sockets_of_one_user_can_be_cut(engine: VirtualEngine) -> None:
    of_bot, of_other = opened(engine, "/ws?userId=bot"), opened(engine, "/ws?userId=other")
    engine.cut_sockets(user="bot")
    place(engine, userId="other")
    with pytest.raises(SocketClosed):
        of_bot.receive(10)
    assert len(seqs_of(of_other)) == 6


def test_an_idle_socket_and_an_old_one_are_closed(engine: VirtualEngine) -> None:
    idle, kept = opened(engine, "/ws"), opened(engine, "/ws")
    for _ in range(13):
        engine.advance("9m")
        kept.write('{"action": "ping"}')
    with pytest.raises(SocketClosed, match="1001"):
        idle.receive(1)
    assert {frame["type"] for frame in frames_of(kept, 1)} == {"pong"}
    engine.advance("4m")
    with pytest.raises(SocketClosed, match="1001"):
        kept.receive(1)


def test_a_handshake_elsewhere_is_refused(engine: VirtualEngine) -> None:
    with pytest.raises(HandshakeRefused) as refused:
        opened(engine, "/sockets")
    assert refused.value.response.status == 404


@pytest.mark.engine(auth=True)
def test_a_handshake_without_a_credential_is_refused(engine: VirtualEngine) -> None:
    with pytest.raises(HandshakeRefused) as refused:
        opened(engine, "/ws?userId=alice")
    assert refused.value.response.status == 401


def test_an_order_over_a_socket_is_acknowledged_and_streamed(engine: VirtualEngine) -> None:
    socket = opened(engine, "//ws/")
    socket.write(json.dumps({"action": "execute_order", **ORDER}))
    assert Counter(frame["type"] for frame in frames_of(socket)) == {"ack": 1, "live": 1, "ORDER_UPDATE": 6}


def test_a_client_that_closes_its_socket_frees_it(engine: VirtualEngine) -> None:
    socket = opened(engine, "/ws?userId=bot")
    socket.close()
    with pytest.raises(SocketClosed, match="1000"):
        socket.receive(1)


def test_the_gateway_answers_for_a_killed_process(engine: VirtualEngine) -> None:
    order_id = place(engine, type="limit", limitPrice="900")
    line = engine.line
    waiting = engine.driver.call(lambda: line.request(get(f"/api/orders/{order_id}/events", afterSeq="2", wait="20")))
    engine.advance("1s")
    engine.restart()
    answered = line.answer_of(waiting)
    assert (answered.status, body_of(answered)["code"]) == (503, "UNAVAILABLE")


def test_the_gateway_does_not_wait_longer_than_29_seconds(
    engine: VirtualEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hangs(*_: object) -> None:
        engine._deployment.sleep(600)

    began = engine.now
    monkeypatch.setattr(gateway, "answer", hangs)
    assert asked(engine, get("/health")).status == 503
    assert (engine.now - began).total_seconds() == 29
    with pytest.raises(Unreachable, match="no answer within 10 s"):
        engine.transport.send(get("/health"), 10)
    monkeypatch.setattr(connections, "connect", hangs)
    with pytest.raises(HandshakeRefused) as refused:
        opened(engine, "/ws")
    assert refused.value.response.status == 503


def test_a_restart_kills_requests_and_loses_no_order(engine: VirtualEngine) -> None:
    order_ids = [place(engine) for _ in range(20)]
    socket = opened(engine, f"/ws/orders/{order_ids[0]}")
    for _ in range(3):
        engine.advance("1s")
        engine.restart()
    assert engine.settle()
    assert {engine.orders[order_id].status for order_id in order_ids} == {Status.CONFIRMED}
    assert sorted(set(seqs_of(socket))) == list(range(1, engine.orders[order_ids[0]].seq + 1))
