"""The looks: a message each, queued a minute ahead, and run one by one by the consumer of their queue."""

from typing import Any

import pytest

from chalicelib.codec.looks import LookMessage, look_message, read_look_message
from chalicelib.codec.messages import PoisonMessageError
from chalicelib.consumers.looks import run_looks
from chalicelib.domain.status import Status
from chalicelib.ports.queues import LooksOfMinute, MarketLook, WatchdogLook
from chalicelib.services.operations.looks import LookFailedError
from tests.support.open_orders import a_limit, accept
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


@pytest.mark.parametrize("look", [LooksOfMinute(), MarketLook(1), WatchdogLook(2)])
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
def test_looks_are_queued_for_every_tick_of_the_minute_and_until_a_killed_schedule_comes_again(seconds: int) -> None:
    bench = a_workbench(market_tick_seconds=seconds)
    deliver(bench, LooksOfMinute())
    now_ms = bench.clock.now_ms()
    expected: list[tuple[Any, int]] = []
    for delay in range(0, 80, seconds):
        expected += [(kind(now_ms + delay * 1000), delay) for kind in (MarketLook, WatchdogLook)]
    assert bench.look_queue.looks == expected


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
