"""The kit detects an engine that breaks its promises, and a test that has failed already keeps its own error."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.failures import AttemptFailedError
from chalicelib.domain.identity import Caller
from chalicelib.domain.orders import Order
from chalicelib.ports.orders import StoredOrder
from chalicelib.services.operations.watchdog import Watchdog
from chalicelib.services.orders import attempt
from chalicelib.services.orders.attempt import AttemptEndedError, RunAttempt
from orderengine.testing import InvariantError
from orderengine.testing import engine as an_engine
from orderengine.testing.concurrent import ConcurrentDeployment
from orderengine.testing.fakes.streams import FakeStreamStore
from orderengine.testing.handle import VirtualEngine
from orderengine.testing.invariants import gaps
from orderengine.testing.queues import Queue
from orderengine.testing.sockets import VirtualSockets
from tests.support.kit import ORDER, opened, place


def live(use: Callable[[VirtualEngine], object]) -> None:
    with an_engine() as engine:
        use(engine)


def test_an_engine_that_does_not_ask_the_ledger_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    def never_asks(self: RunAttempt, stored: StoredOrder, error: AttemptFailedError) -> None:
        raise AttemptEndedError(stored, error) from error

    def use(engine: VirtualEngine) -> None:
        engine.faults.add("landed_reply_lost:1")
        place(engine)

    monkeypatch.setattr(RunAttempt, "_settle", never_asks)
    with pytest.raises(InvariantError, match="I1"):
        live(use)


def test_an_engine_that_ignores_the_limit_price_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    def use(engine: VirtualEngine) -> None:
        place(engine, type="limit", limitPrice="95")
        engine.advance(1)
        engine.price("SOL/USDC", 50)

    monkeypatch.setattr(attempt, "min_acceptable_output", lambda order, quoted: 0)
    with pytest.raises(InvariantError, match="I2"):
        live(use)


def test_an_engine_that_loses_an_order_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Queue, "put", lambda *_, **__: None)
    monkeypatch.setattr(Watchdog, "__call__", lambda self: 0)
    with pytest.raises(InvariantError) as found:
        live(place)
    overdue, executes = found.value.violations
    assert overdue.startswith("I3")
    assert "still executes" in executes


def test_an_engine_that_skips_an_event_on_a_stream_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    push = VirtualSockets.push

    def skips(self: VirtualSockets, connection_id: str, text: str) -> None:
        if '"seq":5,' not in text:
            push(self, connection_id, text)

    monkeypatch.setattr(VirtualSockets, "push", skips)
    with pytest.raises(InvariantError, match="seq 6 came right after seq 4"):
        live(lambda engine: opened(engine, f"/ws/orders/{place(engine)}"))


def _without(monkeypatch: pytest.MonkeyPatch, lost: str) -> None:
    push = VirtualSockets.push

    def loses(self: VirtualSockets, connection_id: str, text: str) -> None:
        if lost not in text:
            push(self, connection_id, text)

    monkeypatch.setattr(VirtualSockets, "push", loses)


def test_an_engine_that_keeps_the_last_event_from_a_stream_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, '"seq":6,')
    with pytest.raises(InvariantError, match="ends at seq 5 of 6"):
        live(lambda engine: opened(engine, f"/ws/orders/{place(engine)}"))


def test_an_engine_that_tells_nothing_of_an_acknowledged_order_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    def use(engine: VirtualEngine) -> None:
        opened(engine, "/ws").write(json.dumps({"action": "execute_order", **ORDER}))

    _without(monkeypatch, '"orderId":')
    live(use)
    monkeypatch.undo()
    _without(monkeypatch, '"seq":')
    with pytest.raises(InvariantError, match="ends at seq 0 of 6"):
        live(use)


def test_streams_that_begin_late_or_end_early_break_no_promise() -> None:
    def use(engine: VirtualEngine) -> None:
        order_id = place(engine, type="limit", limitPrice="900")
        opened(engine, f"/ws/orders/{order_id}?afterSeq=2")
        opened(engine, f"/ws/orders/{order_id}?afterSeq=7")
        opened(engine, f"/ws/orders/{order_id}?statuses=coarse")
        socket = opened(engine, "/ws?userId=bot")
        for message in (
            {"action": "subscribe", "orderId": order_id, "afterSeq": 2},
            {"action": "unsubscribe", "orderId": order_id},
            {"action": "subscribe", "orderId": order_id, "afterSeq": 1},
            {"action": "unsubscribe", "userId": "bot"},
        ):
            socket.write(json.dumps(message))
            engine.advance(1)
        engine.check()
        left, ahead = opened(engine, "/ws?userId=bot"), opened(engine, "/ws")
        engine.advance(1)
        left.write('{"action": "unsubscribe", "userId": "bot"}')
        ahead.write(json.dumps({"action": "subscribe", "orderId": order_id, "afterSeq": 50}))
        engine.advance(1)
        engine.price("SOL/USDC", 1000)

    live(use)


@pytest.mark.parametrize("expires_in", [60, 63])
def test_an_order_that_has_just_expired_is_not_overdue(expires_in: int) -> None:
    def use(engine: VirtualEngine) -> None:
        expires = (engine.now + timedelta(seconds=expires_in)).isoformat()
        place(engine, type="limit", limitPrice="900", expiresAt=expires)
        engine.advance(expires_in + 1)
        engine.check()

    live(use)


def test_an_engine_that_lets_no_order_expire_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    def use(engine: VirtualEngine) -> None:
        place(engine, type="limit", limitPrice="900", expiresAt=(engine.now + timedelta(seconds=60)).isoformat())
        engine.advance(75)

    def looks_away(self: ConcurrentDeployment) -> None:
        self._next_look_ms += self._looks_ms

    monkeypatch.setattr(ConcurrentDeployment, "_look", looks_away)
    with pytest.raises(InvariantError, match="I3"):
        live(use)


@pytest.mark.parametrize("refuses", [False, True])
def test_an_engine_that_lets_a_caller_follow_another_user_is_detected(
    monkeypatch: pytest.MonkeyPatch, refuses: bool
) -> None:
    with an_engine(auth=True) as engine:
        alice, bob = engine.client(key=engine.key("alice")), engine.client(key=engine.key("bob"))
        if not refuses:
            monkeypatch.setattr(Caller, "may_access", lambda self, user_id: True)
        authorization = f"Bearer {engine.key('alice')}"
        opened(engine, "/ws?userId=bob", authorization=authorization)
        opened(engine, "/ws", authorization=authorization).write('{"action": "subscribe", "userId": "bob"}')
        engine.advance(1)
        bob.submit("SOL", "USDC", "1.5").result()
        alice.submit("SOL", "USDC", "1.5").result()
        found = engine._deployment.sockets.violations
        assert bool(found) is not refuses
        assert {one[:11] for one in found} <= {"I7 socket-1", "I7 socket-2"}
        found.clear()


def test_prices_by_the_api_count_as_told() -> None:
    with an_engine() as engine:
        for number in range(30):
            engine.client(user="bot").tell_price("SOL/USDC", 100 + number)
        assert engine._deployment.markets.price_count == 30


def test_an_engine_that_tells_a_stranger_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    def use(engine: VirtualEngine) -> None:
        opened(engine, "/ws?userId=stranger")
        engine.advance(1)
        place(engine)

    of_user = FakeStreamStore.followers
    monkeypatch.setattr(FakeStreamStore, "followers", lambda self, user_id: of_user(self, "stranger"))
    monkeypatch.setattr(FakeStreamStore, "is_followed", lambda self, user_id: True)
    with pytest.raises(InvariantError, match="I7"):
        live(use)


def test_an_engine_that_changes_what_it_kept_is_detected() -> None:
    def use(engine: VirtualEngine) -> None:
        order_id = place(engine)
        engine.settle()
        stored = engine._deployment.all_orders()[order_id]
        quoted = stored.order.quotes
        assert quoted is not None
        first, *others = quoted.answers
        assert first.quote is not None
        wrong = replace(first, quote=replace(first.quote, amount_out=first.quote.amount_out + 1))
        changed = replace(quoted, answers=(wrong, *others))
        events = [replace(one, data=changed) if one.data is quoted else one for one in stored.order.events]
        order = Order.replayed(order_id, stored.order.spec, tuple(events))
        engine._deployment.orders._kept[order_id] = replace(stored, order=order)

    with pytest.raises(InvariantError, match="replay of"):
        live(use)


def test_the_error_of_a_test_is_not_hidden_by_violations(monkeypatch: pytest.MonkeyPatch) -> None:
    def use(engine: VirtualEngine) -> None:
        place(engine)
        raise ZeroDivisionError

    monkeypatch.setattr(Queue, "put", lambda *_, **__: None)
    with pytest.raises(ZeroDivisionError):
        live(use)


def test_orders_that_execute_break_no_promise() -> None:
    with an_engine() as engine:
        for _ in range(30):
            place(engine)
        for _ in range(10):
            engine.advance("1s")
            engine.check()


def test_a_frame_may_arrive_twice_and_none_before_its_predecessor() -> None:
    assert gaps([1, 2, 2, 1, 3], 0) == []
    assert gaps([2], 0)
    assert gaps([1, 3, 2], 0)
