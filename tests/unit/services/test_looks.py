"""The looks: a message each, queued a minute ahead, and run one by one by the consumer of their queue."""

from collections.abc import Callable
from decimal import Decimal
from threading import Event
from typing import Any

import pytest

from chalicelib.codec.looks import LookMessage, look_message, read_look_message
from chalicelib.codec.messages import PoisonMessageError
from chalicelib.consumers.looks import run_looks
from chalicelib.domain.conditions import Amendment, Launch
from chalicelib.domain.status import Status
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.queues import LooksFromNow, LooksOfMinute, MarketLook, WatchdogLook
from chalicelib.services.operations import wake_looks
from chalicelib.services.operations.looks import MAX_COVERED_SECONDS, LookFailedError
from tests.support.callers import ANYONE
from tests.support.open_orders import MINT, a_limit, accept
from tests.support.workbench import Workbench, a_workbench

TICK_SECONDS = 5


@pytest.fixture
def bench() -> Workbench:
    return a_workbench(market_tick_seconds=TICK_SECONDS)


def deliver(bench: Workbench, look: LookMessage) -> None:
    run_looks(bench.engine, {"Records": [{"messageId": "m", "body": look_message(look)}]})


def a_lost_order(bench: Workbench) -> str:
    """An order that the queue lost, and that is overdue."""
    order_id = bench.submit()
    bench.order_queue.bodies.clear()
    bench.clock.sleep(bench.engine.settings.pending_deadline_seconds)
    return order_id


@pytest.mark.parametrize("look", [LooksOfMinute(), LooksFromNow(), MarketLook(1), WatchdogLook(2)])
def test_a_look_is_read_as_it_was_written(look: LookMessage) -> None:
    assert read_look_message(look_message(look)) == look


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        '{"v":2,"kind":"LooksOfHour","look":{}}',
        '{"v":2,"kind":"MarketLook","look":{}}',
        '{"v":2,"kind":"MarketLook","look":{"due_ms":"soon"}}',
        '{"v":3,"kind":"LooksOfMinute","look":{}}',
        '{"v":2,"kind":"LooksOfMinute"}',
    ],
)
def test_a_body_that_is_no_look_is_poison(body: str) -> None:
    with pytest.raises(PoisonMessageError):
        read_look_message(body)


@pytest.mark.parametrize("seconds", [1, 5, 7, 60, 90])
def test_looks_are_queued_for_every_tick_while_an_order_waits_and_each_once(seconds: int) -> None:
    bench = a_workbench(market_tick_seconds=seconds)
    accept(bench, a_limit(500))
    first_ms = bench.clock.now_ms()
    for _ in range(3):
        deliver(bench, LooksOfMinute())
        bench.clock.sleep(60)
    number = len(bench.look_queue.looks) // 2
    expected = [
        kind(first_ms + tick * seconds * 1000) for tick in range(number) for kind in (MarketLook, WatchdogLook)
    ]
    assert [look for look, _ in bench.look_queue.looks] == expected
    assert number * seconds >= 2 * 60 + MAX_COVERED_SECONDS


def test_a_look_is_delivered_when_it_is_due(bench: Workbench) -> None:
    deliver(bench, LooksFromNow())
    now_ms = bench.clock.now_ms()
    assert [(look.due_ms - now_ms) // 1000 for look, _ in bench.look_queue.looks] == [
        delay_seconds for _, delay_seconds in bench.look_queue.looks
    ]


def test_the_schedule_queues_nothing_while_nothing_waits(bench: Workbench) -> None:
    deliver(bench, LooksOfMinute())
    order_id = bench.submit()
    bench.process_all()
    assert bench.order(order_id).is_terminal
    deliver(bench, LooksOfMinute())
    assert bench.look_queue.looks == []


def an_active_order(bench: Workbench) -> None:
    bench.submit()


def an_open_order(bench: Workbench) -> None:
    accept(bench, a_limit(500))


def an_order_that_is_not_recorded(bench: Workbench) -> None:
    bench.history.down = True
    bench.submit()
    bench.process_all()


def a_pending_launch(bench: Workbench) -> None:
    bench.markets.announce(Launch(MINT, "raydium", "pool", 1, Decimal("0.001"), Decimal(1), bench.clock.now_ms()))


@pytest.mark.parametrize("begin", [an_active_order, an_open_order, an_order_that_is_not_recorded, a_pending_launch])
def test_the_schedule_queues_looks_while_something_waits(
    bench: Workbench, begin: Callable[[Workbench], None]
) -> None:
    begin(bench)
    deliver(bench, LooksOfMinute())
    assert bench.look_queue.looks


def test_a_second_request_for_looks_queues_none(bench: Workbench) -> None:
    deliver(bench, LooksFromNow())
    queued = list(bench.look_queue.looks)
    bench.clock.sleep(5)
    deliver(bench, LooksFromNow())
    assert bench.look_queue.looks == queued


def test_a_note_that_fails_queues_no_looks_again(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_: int) -> None:
        raise ConnectionError("denied")

    monkeypatch.setattr(bench.look_cover, "extend", denied)
    deliver(bench, LooksFromNow())
    queued = list(bench.look_queue.looks)
    assert queued
    # Every process that accepts orders goes on asking, because it reads the old cover.
    bench.clock.sleep(10)
    deliver(bench, LooksFromNow())
    assert bench.look_queue.looks == queued
    bench.clock.sleep(50)
    bench.submit()
    deliver(bench, LooksOfMinute())
    due = [look for look, _ in bench.look_queue.looks]
    assert len(due) > len(queued)
    assert len(due) == len(set(due))


def amend(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(500))
    bench.clock.sleep(300)
    bench.look_queue.wakes = 0
    bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(600)))


def announce(bench: Workbench) -> None:
    launch = Launch(MINT, "raydium", "pool", 1, Decimal("0.001"), Decimal(1), bench.clock.now_ms())
    assert bench.engine.market.announce_launch(ANYONE, launch)


@pytest.mark.parametrize("begin", [an_active_order, an_open_order, amend, announce])
def test_what_arrives_while_the_looks_sleep_wakes_them(bench: Workbench, begin: Callable[[Workbench], None]) -> None:
    begin(bench)
    assert bench.look_queue.wakes == 1


def test_what_arrives_while_looks_are_queued_asks_for_none(bench: Workbench) -> None:
    deliver(bench, LooksFromNow())
    bench.submit()
    assert bench.look_queue.wakes == 0


def test_an_order_is_accepted_although_the_looks_cannot_be_woken(
    bench: Workbench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.look_queue.down = True
    order_id = bench.submit()
    assert bench.order(order_id).order_id == order_id
    assert "looks not woken" in caplog.text
    bench.look_queue.down = False
    bench.submit()
    assert bench.look_queue.wakes == 0, "a process pauses after a failure"
    bench.clock.sleep(5)
    bench.submit()
    assert bench.look_queue.wakes == 1


def test_the_pause_after_a_failure_begins_as_the_request_for_looks_ends(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def hang() -> None:
        nonlocal asked
        asked += 1
        bench.clock.sleep(6)
        raise ConnectionError("no answer")

    monkeypatch.setattr(bench.look_queue, "wake", hang)
    for _ in range(3):
        bench.submit()
        bench.clock.sleep(1)
    assert asked == 1


def test_an_order_does_not_wait_long_for_the_looks_to_wake(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake_looks, "_MAX_WAIT_SECONDS", 0.01)
    written, stored = Event(), bench.orders.create

    def create(*args: Any, **options: Any) -> StoredOrder:
        written.set()
        return stored(*args, **options)

    monkeypatch.setattr(bench.orders, "create", create)
    # The request ends only once the order is written.
    monkeypatch.setattr(bench.look_queue, "wake", lambda: written.wait(10))
    bench.submit()
    assert written.is_set()


def test_a_market_look_expires_an_overdue_order(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(500))
    bench.clock.sleep(40 * 86_400)
    deliver(bench, MarketLook(bench.clock.now_ms()))
    assert bench.order(order_id).status is Status.EXPIRED


def test_a_watchdog_look_sends_a_lost_order_again(bench: Workbench) -> None:
    a_lost_order(bench)
    deliver(bench, WatchdogLook(bench.clock.now_ms()))
    assert len(bench.order_queue.bodies) == 1


@pytest.mark.parametrize(("late_ms", "sent"), [(2 * TICK_SECONDS * 1000, 1), (2 * TICK_SECONDS * 1000 + 1, 0)])
def test_a_look_that_is_two_ticks_late_is_skipped(bench: Workbench, late_ms: int, sent: int) -> None:
    a_lost_order(bench)
    deliver(bench, WatchdogLook(bench.clock.now_ms() - late_ms))
    assert len(bench.order_queue.bodies) == sent


def test_a_failed_look_is_an_error_of_the_function(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: Any) -> list[str]:
        raise ConnectionError("denied")

    monkeypatch.setattr(bench.orders, "due", denied)
    monkeypatch.setattr(bench.orders, "due_open", denied)
    with pytest.raises(ConnectionError):
        deliver(bench, WatchdogLook(bench.clock.now_ms()))
    with pytest.raises(LookFailedError, match="expiry"):
        deliver(bench, MarketLook(bench.clock.now_ms()))
