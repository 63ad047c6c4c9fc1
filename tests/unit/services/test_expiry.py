"""Expiry of open orders: to the millisecond, and a transaction that was sent in time still completes."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.api.meta import meta_of
from chalicelib.codec.times import to_ms
from chalicelib.domain.conditions import MAX_ORDER_LIFETIME, TimeInForce
from chalicelib.domain.events import AttemptStarted, PriceTriggered
from chalicelib.domain.failures import FailureCode
from chalicelib.domain.status import Status
from chalicelib.domain.tokens import Side
from chalicelib.ports.streams import Subscriber
from tests.support.callers import ANYONE
from tests.support.open_orders import a_launch, a_limit, a_sniper, accept, push
from tests.support.workbench import Workbench, a_workbench

MS = 0.001
HOUR = 3600


@pytest.fixture
def bench() -> Workbench:
    bench = a_workbench()
    push(bench, 100)
    return bench


def in_an_hour(bench: Workbench) -> datetime:
    return bench.clock.now() + timedelta(seconds=HOUR)


def accept_for_an_hour(bench: Workbench) -> str:
    """Accept an order that expires in an hour, and that a price of 130 fills."""
    return accept(bench, a_limit(110, time_in_force=TimeInForce.GTD, expires_at=in_an_hour(bench)))


@pytest.mark.parametrize("kind", ["limit", "sniper"])
@pytest.mark.parametrize("function", ["watcher", "watchdog"])
def test_an_order_expires_at_its_date_and_not_a_millisecond_before(
    bench: Workbench, kind: str, function: str
) -> None:
    dated: dict[str, Any] = {"time_in_force": TimeInForce.GTD, "expires_at": in_an_hour(bench)}
    order_id = accept(bench, a_limit(110, **dated) if kind == "limit" else a_sniper(**dated))
    look = bench.engine.market.look if function == "watcher" else bench.engine.watchdog
    bench.clock.sleep(HOUR - MS)
    look()
    assert bench.order(order_id).status is Status.OPEN
    bench.clock.sleep(MS)
    look()
    assert bench.statuses(order_id) == ["pending", "open", "expired"]
    stored = bench.orders.get(order_id)
    assert stored is not None
    assert stored.deadline_ms is None, "it needs no further work"
    assert bench.history.events[order_id][3].status is Status.EXPIRED


def test_a_gtc_order_expires_after_thirty_days(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    bench.clock.sleep(MAX_ORDER_LIFETIME.total_seconds() - MS)
    bench.engine.market.look()
    assert bench.order(order_id).status is Status.OPEN
    bench.clock.sleep(MS)
    bench.engine.market.look()
    assert bench.order(order_id).status is Status.EXPIRED


def test_a_price_does_not_trigger_an_order_whose_expiry_has_passed(bench: Workbench) -> None:
    order_id = accept_for_an_hour(bench)
    bench.clock.sleep(HOUR)
    assert push(bench, 130) == 0
    bench.engine.market.look()
    assert bench.order(order_id).status is Status.EXPIRED


def test_an_order_that_expires_while_others_trigger_is_not_triggered(bench: Workbench) -> None:
    order_id = accept_for_an_hour(bench)
    bench.clock.sleep(HOUR - MS)
    found = bench.orders.get(order_id)
    assert found is not None
    bench.clock.sleep(MS)
    assert bench.engine.market.triggers.fire([(found, PriceTriggered("raydium", Decimal(130)))]) == 0
    assert bench.order(order_id).status is Status.OPEN


def test_an_order_that_triggers_and_executes_in_its_last_millisecond_fills(bench: Workbench) -> None:
    order_id = accept_for_an_hour(bench)
    bench.clock.sleep(HOUR - MS)
    push(bench, 130)
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_an_order_that_expires_in_the_queue_does_not_trade(bench: Workbench) -> None:
    order_id = accept_for_an_hour(bench)
    push(bench, 130)
    bench.clock.sleep(HOUR)
    bench.process_all()
    assert bench.statuses(order_id) == ["pending", "open", "triggered", "expired"]
    assert bench.ledger.swaps_of(order_id) == []
    assert bench.history.events[order_id][4].status is Status.EXPIRED
    bench.clock.sleep(HOUR)
    assert bench.engine.watchdog() == 0


def test_an_order_that_expires_while_it_is_quoted_is_not_sent() -> None:
    bench = a_workbench(venue_time_scale=1)
    push(bench, 100)
    order_id = accept_for_an_hour(bench)
    bench.clock.sleep(HOUR - MS)
    push(bench, 130)
    bench.process_all()
    assert bench.order(order_id).status is Status.EXPIRED
    assert "submitted" not in bench.statuses(order_id)
    assert bench.ledger.swaps_of(order_id) == []


def test_a_sniper_order_that_expires_while_it_is_quoted_is_not_sent() -> None:
    bench = a_workbench(venue_time_scale=1)
    order_id = accept(bench, a_sniper(time_in_force=TimeInForce.GTD, expires_at=in_an_hour(bench)))
    bench.clock.sleep(HOUR - MS)
    bench.engine.market.announce_launch(ANYONE, a_launch(bench))
    bench.process_all()
    assert bench.statuses(order_id)[-2:] == ["routing", "expired"]
    assert bench.ledger.swaps_of(order_id) == []


def test_an_order_is_not_retried_after_its_expiry() -> None:
    bench = a_workbench()
    order_id = accept(
        bench, a_sniper(time_in_force=TimeInForce.GTD, expires_at=in_an_hour(bench), simulate="tx_dropped:1")
    )
    bench.clock.sleep(HOUR - MS)
    bench.engine.market.announce_launch(ANYONE, a_launch(bench))
    bench.process_all()
    dropped, expired = bench.order(order_id).events[-2:]
    assert isinstance(dropped.data, AttemptStarted)
    assert dropped.data.last_failure is not None
    assert (dropped.data.last_failure.code, expired.status) == (FailureCode.TX_DROPPED, Status.EXPIRED)
    assert meta_of(bench.order(order_id).spec, dropped)["lastError"]["code"] == "TX_DROPPED"
    assert bench.ledger.swaps_of(order_id) == []


def test_an_order_that_the_rate_limit_delays_expires_in_time_and_releases_its_slot() -> None:
    bench = a_workbench(rate_limit_per_minute=1)
    push(bench, 100)
    soon = bench.clock.now() + timedelta(seconds=70)
    orders = [accept(bench, a_limit(110, time_in_force=TimeInForce.GTD, expires_at=soon)) for _ in range(4)]
    push(bench, 130)
    while any(not bench.order(order_id).is_terminal for order_id in orders) and bench.clock.now() < soon:
        later = [again for _ in range(len(bench.order_queue.bodies)) if (again := bench.process()) is not None]
        bench.clock.sleep(min(later, default=1))
    bench.process_all()
    ends = {bench.order(order_id).current_status.value: bench.order(order_id).events[-1].at for order_id in orders}
    assert set(ends) == {"confirmed", "expired"}
    assert ends["expired"] < soon + timedelta(seconds=1)
    in_turn = bench.adapters.rate_limit_slots.reserve(bench.clock.now_ms())
    assert in_turn.at_ms < to_ms(soon) + 120_000, "the last of their reservations is free for another order"


def test_a_marketable_order_that_the_rate_limit_delays_is_due_at_its_expiry() -> None:
    bench = a_workbench(rate_limit_per_minute=1)
    push(bench, 100)
    for _ in range(3):
        bench.submit()
    soon = bench.clock.now() + timedelta(seconds=30)
    order_id = accept(bench, a_limit(50, time_in_force=TimeInForce.GTD, expires_at=soon, user_id="other"))
    assert bench.order_queue.delays[-1] == 30
    stored = bench.orders.get(order_id)
    assert stored
    assert stored.deadline_ms == to_ms(soon) + bench.engine.settings.pending_deadline_seconds * 1000


def test_a_transaction_that_was_sent_before_the_expiry_completes_after_it() -> None:
    bench = a_workbench(venue_time_scale=1)
    push(bench, 100)
    order_id = accept_for_an_hour(bench)
    bench.clock.sleep(HOUR - 1)
    push(bench, 130)
    bench.process_all()
    order = bench.order(order_id)
    assert order.status is Status.CONFIRMED
    assert order.events[-1].at > order.events[0].at + timedelta(seconds=HOUR)


def test_an_order_that_misses_its_price_after_its_expiry_expires() -> None:
    bench = a_workbench(venue_time_scale=1, venue_fault="slippage:1")
    push(bench, 100)
    order_id = accept_for_an_hour(bench)
    bench.clock.sleep(HOUR - 1)
    push(bench, 130)
    bench.process_all()
    assert bench.statuses(order_id)[-4:] == ["submitted", "routing", "open", "expired"]
    assert bench.ledger.swaps_of(order_id) == []


def test_an_order_that_is_cancelled_after_its_expiry_does_not_expire_too(bench: Workbench) -> None:
    order_id = accept_for_an_hour(bench)
    bench.clock.sleep(HOUR)
    assert bench.engine.cancel(ANYONE, order_id).status is Status.CANCELLED
    bench.engine.market.look()
    assert bench.statuses(order_id) == ["pending", "open", "cancelled"]


def test_each_look_expires_at_most_one_batch_of_orders() -> None:
    bench = a_workbench(watchdog_batch=4)
    push(bench, 100)
    orders = [accept_for_an_hour(bench) for _ in range(6)]
    bench.clock.sleep(HOUR)
    left = []
    for _ in range(2):
        bench.engine.market.look()
        left.append(sum(bench.order(order_id).status is Status.OPEN for order_id in orders))
    assert left == [2, 0]


def test_an_order_expires_in_time_although_postgres_is_down(bench: Workbench) -> None:
    bench.history.down = True
    soon = bench.clock.now() + timedelta(seconds=3)
    order_id = accept(bench, a_limit(110, time_in_force=TimeInForce.GTD, expires_at=soon))
    bench.clock.sleep(3)
    bench.engine.market.look()
    assert bench.order(order_id).status is Status.EXPIRED
    bench.history.down = False
    bench.clock.sleep(HOUR)
    bench.engine.watchdog()
    assert bench.history.events[order_id][3].status is Status.EXPIRED


def test_a_subscriber_receives_the_expiry(bench: Workbench) -> None:
    dated = a_limit(50, Side.BUY, time_in_force=TimeInForce.GTD, expires_at=in_an_hour(bench))
    bench.engine.submit(ANYONE, dated, subscriber=Subscriber("me"))
    bench.clock.sleep(HOUR)
    bench.engine.market.look()
    assert bench.sockets.updates("me") == [(1, "pending"), (2, "open"), (3, "expired")]
