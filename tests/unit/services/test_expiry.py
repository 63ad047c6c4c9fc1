"""An order that waits is over at its date, to the millisecond, and what was sent in time completes."""

from datetime import datetime, timedelta

import pytest

from chalicelib.codec.times import to_ms
from chalicelib.domain.conditions import MAX_ORDER_LIFETIME, TimeInForce
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


def to_a_date(bench: Workbench) -> str:
    """An order for the next hour, which 130 fills."""
    return accept(bench, a_limit(110, time_in_force=TimeInForce.GTD, expires_at=in_an_hour(bench)))


@pytest.mark.parametrize("kind", ["limit", "sniper"])
@pytest.mark.parametrize("who", ["watcher", "watchdog"])
def test_an_order_is_over_at_its_date_and_not_a_millisecond_before(bench: Workbench, kind: str, who: str) -> None:
    dated = {"time_in_force": TimeInForce.GTD, "expires_at": in_an_hour(bench)}
    order_id = accept(bench, a_limit(110, **dated) if kind == "limit" else a_sniper(**dated))
    look = bench.engine.market.look if who == "watcher" else bench.engine.watchdog
    bench.clock.sleep(HOUR - MS)
    look()
    assert bench.order(order_id).status is Status.OPEN
    bench.clock.sleep(MS)
    look()
    assert bench.statuses(order_id) == ["pending", "open", "expired"]
    stored = bench.orders.get(order_id)
    assert stored is not None
    assert stored.deadline_ms is None, "nobody has to come back to it"
    assert bench.history.events[order_id][3].status is Status.EXPIRED


def test_an_order_without_a_date_waits_for_thirty_days(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    bench.clock.sleep(MAX_ORDER_LIFETIME.total_seconds() - MS)
    bench.engine.market.look()
    assert bench.order(order_id).status is Status.OPEN
    bench.clock.sleep(MS)
    bench.engine.market.look()
    assert bench.order(order_id).status is Status.EXPIRED


def test_an_order_is_not_triggered_any_more_once_its_time_is_up(bench: Workbench) -> None:
    order_id = to_a_date(bench)
    bench.clock.sleep(HOUR)
    assert push(bench, 130) == 0
    bench.engine.market.look()
    assert bench.order(order_id).status is Status.EXPIRED


def test_an_order_whose_time_ran_out_while_others_were_released_is_not_triggered(bench: Workbench) -> None:
    order_id = to_a_date(bench)
    bench.clock.sleep(HOUR - MS)
    found = bench.orders.get(order_id)
    assert found is not None
    bench.clock.sleep(MS)
    assert bench.engine.market.triggers.fire([(found, {"trigger": "price"})]) == 0
    assert bench.order(order_id).status is Status.OPEN


def test_an_order_that_triggered_in_its_last_millisecond_and_was_taken_up_then_fills(bench: Workbench) -> None:
    order_id = to_a_date(bench)
    bench.clock.sleep(HOUR - MS)
    push(bench, 130)
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_an_order_whose_time_was_up_in_the_queue_does_not_trade(bench: Workbench) -> None:
    order_id = to_a_date(bench)
    push(bench, 130)
    bench.clock.sleep(HOUR)
    bench.process_all()
    assert bench.statuses(order_id) == ["pending", "open", "triggered", "expired"]
    assert bench.ledger.swaps_of(order_id) == []
    assert bench.history.events[order_id][4].status is Status.EXPIRED
    bench.clock.sleep(HOUR)
    assert bench.engine.watchdog() == 0


def test_an_order_whose_time_was_up_while_it_was_quoted_is_not_sent() -> None:
    bench = a_workbench(venue_time_scale=1)
    push(bench, 100)
    order_id = to_a_date(bench)
    bench.clock.sleep(HOUR - MS)
    push(bench, 130)
    bench.process_all()
    assert bench.order(order_id).status is Status.EXPIRED
    assert "submitted" not in bench.statuses(order_id)
    assert bench.ledger.swaps_of(order_id) == []


def test_a_sniper_order_whose_time_was_up_while_it_was_quoted_is_not_sent_either() -> None:
    bench = a_workbench(venue_time_scale=1)
    order_id = accept(bench, a_sniper(time_in_force=TimeInForce.GTD, expires_at=in_an_hour(bench)))
    bench.clock.sleep(HOUR - MS)
    bench.engine.market.announce_launch(ANYONE, a_launch(bench))
    bench.process_all()
    assert bench.statuses(order_id)[-2:] == ["routing", "expired"]
    assert bench.ledger.swaps_of(order_id) == []


def test_a_retry_that_comes_after_the_date_is_not_made() -> None:
    bench = a_workbench()
    order_id = accept(
        bench, a_sniper(time_in_force=TimeInForce.GTD, expires_at=in_an_hour(bench), simulate="tx_dropped:1")
    )
    bench.clock.sleep(HOUR - MS)
    bench.engine.market.announce_launch(ANYONE, a_launch(bench))
    bench.process_all()
    dropped, expired = bench.order(order_id).events[-2:]
    assert (dropped.meta["lastError"]["code"], expired.status) == ("TX_DROPPED", Status.EXPIRED)
    assert bench.ledger.swaps_of(order_id) == []


def test_an_order_that_waits_for_its_start_under_the_rate_limit_is_over_in_time() -> None:
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
    assert in_turn.at_ms < to_ms(soon) + 120_000, "the last of their starts is somebody else's"


def test_an_order_that_is_marketable_and_has_to_wait_for_its_start_is_over_in_time() -> None:
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


def test_what_was_sent_in_time_completes() -> None:
    bench = a_workbench(venue_time_scale=1)
    push(bench, 100)
    order_id = to_a_date(bench)
    bench.clock.sleep(HOUR - 1)
    push(bench, 130)
    bench.process_all()
    order = bench.order(order_id)
    assert order.status is Status.CONFIRMED
    assert order.events[-1].at > order.events[0].at + timedelta(seconds=HOUR)


def test_an_order_that_was_sent_in_time_and_missed_is_over() -> None:
    bench = a_workbench(venue_time_scale=1, venue_fault="slippage:1")
    push(bench, 100)
    order_id = to_a_date(bench)
    bench.clock.sleep(HOUR - 1)
    push(bench, 130)
    bench.process_all()
    assert bench.statuses(order_id)[-4:] == ["submitted", "routing", "open", "expired"]
    assert bench.ledger.swaps_of(order_id) == []


def test_a_cancel_and_an_expiry_are_one_end(bench: Workbench) -> None:
    order_id = to_a_date(bench)
    bench.clock.sleep(HOUR)
    assert bench.engine.cancel(ANYONE, order_id).status is Status.CANCELLED
    bench.engine.market.look()
    assert bench.statuses(order_id) == ["pending", "open", "cancelled"]


def test_many_expire_at_once_a_batch_a_look() -> None:
    bench = a_workbench(watchdog_batch=4)
    push(bench, 100)
    orders = [to_a_date(bench) for _ in range(6)]
    bench.clock.sleep(HOUR)
    left = []
    for _ in range(2):
        bench.engine.market.look()
        left.append(sum(bench.order(order_id).status is Status.OPEN for order_id in orders))
    assert left == [2, 0]


def test_an_order_is_over_in_time_although_its_history_cannot_be_recorded(bench: Workbench) -> None:
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


def test_who_follows_an_order_is_told_that_it_is_over(bench: Workbench) -> None:
    dated = a_limit(50, Side.BUY, time_in_force=TimeInForce.GTD, expires_at=in_an_hour(bench))
    bench.engine.submit(ANYONE, dated, subscriber=Subscriber("me"))
    bench.clock.sleep(HOUR)
    bench.engine.market.look()
    assert bench.sockets.updates("me") == [(1, "pending"), (2, "open"), (3, "expired")]
