"""Open limit orders: the market triggers them, a missed trigger reopens them, and no fill is below their limit."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.api.meta import meta_of
from chalicelib.domain.conditions import Amendment, Launch, TimeInForce
from chalicelib.domain.events import PriceTriggered, Submitted
from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.domain.swaps import Quote
from chalicelib.domain.tokens import Side
from chalicelib.ports.market import PushedPrice
from chalicelib.services.operations.looks import LookFailedError
from tests.support.callers import ANYONE
from tests.support.open_orders import FAR, SOL_USDC, a_limit, accept, best_output, price_for, push
from tests.support.workbench import Workbench, a_workbench

RETRIGGER_PAUSE = 1.0


@pytest.fixture
def bench() -> Workbench:
    bench = a_workbench(retrigger_pause_seconds=RETRIGGER_PAUSE, max_retrigger_pause_seconds=10.0)
    push(bench, 100)
    return bench


def min_output_of(order: Order) -> int:
    assert order.min_amount_out is not None
    return order.min_amount_out


def an_open_order(bench: Workbench, side: Side = Side.SELL, **changes: object) -> str:
    """Accept an order that a price a fifth higher, or lower, fills."""
    order_id = accept(bench, a_limit(110 if side is Side.SELL else 90, side, **changes))
    assert bench.order(order_id).status is Status.OPEN
    return order_id


@pytest.mark.parametrize(("side", "price"), [(Side.SELL, 100 * FAR), (Side.BUY, 100 / FAR)])
def test_a_pushed_price_triggers_and_fills_at_once(bench: Workbench, side: Side, price: Decimal) -> None:
    order_id = an_open_order(bench, side)
    assert push(bench, price) == 1
    trigger = bench.order(order_id).events[-1]
    assert isinstance(trigger.data, PriceTriggered)
    assert meta_of(bench.order(order_id).spec, trigger)["trigger"] == "price"
    assert trigger.data.price > 0
    bench.process_all()
    order = bench.order(order_id)
    assert order.status is Status.CONFIRMED
    assert order.amount_out is not None
    assert order.amount_out > min_output_of(order), "the user receives the better price"
    assert order.attempts == 1
    assert push(bench, price) == 0


@pytest.mark.parametrize(("side", "price"), [(Side.SELL, 100 / FAR), (Side.BUY, 100 * FAR)])
def test_a_price_in_the_other_direction_triggers_nothing(bench: Workbench, side: Side, price: Decimal) -> None:
    order_id = an_open_order(bench, side)
    assert push(bench, price) == 0
    assert bench.statuses(order_id) == ["pending", "open"]


@pytest.mark.parametrize("side", Side)
def test_the_output_of_the_whole_size_decides_to_the_last_base_unit(bench: Workbench, side: Side) -> None:
    bench.engine.market.look()
    now = best_output(bench, a_limit(side=side))
    # The price at acceptance keeps both orders open.
    push(bench, 50 if side is Side.SELL else 200)
    prices = [price_for(a_limit(side=side), minimum) for minimum in (now, now + 1)]
    reached, missed = (accept(bench, a_limit(price, side)) for price in prices)
    push(bench, 100)
    assert best_output(bench, a_limit(side=side)) == now
    assert (bench.order(reached).status, bench.order(missed).status) == (Status.TRIGGERED, Status.OPEN)
    bench.process_all()
    assert bench.order(reached).amount_out == now


def test_a_large_order_stays_open_at_a_price_that_fills_a_small_one(bench: Workbench) -> None:
    small, large = (accept(bench, a_limit(110, amount_in=sol * 10**9)) for sol in (1, 4_000))
    push(bench, 115)
    assert (bench.order(small).status, bench.order(large).status) == (Status.TRIGGERED, Status.OPEN)


def test_a_look_triggers_an_order_that_a_dead_worker_left_open(bench: Workbench) -> None:
    order_id = an_open_order(bench)
    bench.markets.push_price(SOL_USDC, PushedPrice(Decimal(120), bench.clock.now_ms()))
    bench.clock.sleep(1)
    assert bench.engine.market.look() == 1
    assert bench.order(order_id).status is Status.TRIGGERED


def test_a_look_triggers_all_that_a_push_left_and_reads_no_order_in_vain() -> None:
    bench = a_workbench(trigger_batch=3)
    push(bench, 100)
    orders = [accept(bench, a_limit(110)) for _ in range(7)]
    for _ in range(20):
        accept(bench, a_limit(500))
    bench.open_order_index.taken = 0
    assert [push(bench, 130), bench.engine.market.look()] == [3, 4]
    assert {bench.order(order_id).status for order_id in orders} == {Status.TRIGGERED}
    assert bench.open_order_index.taken == 7
    assert bench.engine.market.look() == 0


def test_the_most_aggressive_limit_triggers_first() -> None:
    bench = a_workbench(trigger_batch=1)
    push(bench, 100)
    dear, cheap = accept(bench, a_limit(115)), accept(bench, a_limit(110))
    push(bench, 130)
    assert (bench.order(cheap).status, bench.order(dear).status) == (Status.TRIGGERED, Status.OPEN)


def test_the_watchdog_sends_an_order_that_triggered_while_the_queue_was_down(bench: Workbench) -> None:
    order_id = an_open_order(bench)
    bench.order_queue.down = True
    push(bench, 120)
    assert bench.order(order_id).status is Status.TRIGGERED
    bench.order_queue.down = False
    bench.clock.sleep(bench.engine.settings.pending_deadline_seconds)
    assert bench.engine.watchdog() == 1
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_the_watchdog_pause_of_a_triggered_order_does_not_grow_with_its_time_open(bench: Workbench) -> None:
    order_id = an_open_order(bench)
    bench.clock.sleep(5 * 86_400)
    bench.order_queue.down = True
    push(bench, 120)
    pause = bench.engine.settings.pending_deadline_seconds
    bench.clock.sleep(pause)
    bench.engine.watchdog()
    bench.order_queue.down = False
    bench.clock.sleep(pause)
    assert bench.engine.watchdog() == 1
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_a_look_that_fails_in_part_does_the_other_parts_and_raises(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = an_open_order(bench)
    bench.clock.sleep(bench.engine.settings.market_cache_seconds + 1)
    bench.markets.push_price(SOL_USDC, PushedPrice(Decimal(120), bench.clock.now_ms()))

    def denied() -> list[Launch]:
        raise ConnectionError("denied")

    monkeypatch.setattr(bench.markets, "pending_launches", denied)
    with pytest.raises(LookFailedError, match="launches"):
        bench.engine.market.look()
    assert bench.order(order_id).status is Status.TRIGGERED


# --- missed triggers ---------------------------------------------------------------------------------------


def test_an_order_whose_price_moves_away_before_the_quote_reopens_and_uses_no_attempt(bench: Workbench) -> None:
    order_id = an_open_order(bench)
    push(bench, 120)
    push(bench, 100)
    bench.process_all()
    assert bench.statuses(order_id) == ["pending", "open", "triggered", "routing", "routing", "open"]
    order = bench.order(order_id)
    assert (order.missed_triggers, order.wait_reason) == (1, "every venue would return less than the minimum output")
    assert (order.venue, order.tx_hash, order.fail_code) == (None, None, None)
    assert bench.ledger.swaps_of(order_id) == []

    bench.clock.sleep(RETRIGGER_PAUSE)
    push(bench, 120)
    bench.process_all()
    order = bench.order(order_id)
    assert (order.status, order.attempts) == (Status.CONFIRMED, 1)


def test_an_order_whose_price_moves_away_before_it_lands_reopens_and_fills_later(bench: Workbench) -> None:
    order_id = an_open_order(bench, simulate="slippage:1")
    push(bench, 120)
    sent = bench.process()
    assert sent is None
    assert bench.statuses(order_id)[-3:] == ["submitted", "routing", "open"]
    sends = [event.data for event in bench.order(order_id).events if isinstance(event.data, Submitted)]
    first = sends[0].tx_hash
    assert bench.ledger.is_void(first), "the transaction can no longer land"
    assert (bench.order(order_id).tx_hash, bench.order(order_id).attempts) == (None, 1)

    bench.clock.sleep(RETRIGGER_PAUSE)
    assert bench.engine.market.look() == 1
    bench.process_all()
    order = bench.order(order_id)
    assert (order.status, order.attempts, order.missed_triggers) == (Status.CONFIRMED, 1, 1)
    assert order.tx_hash != first
    assert len(bench.ledger.swaps_of(order_id)) == 1


def test_a_missed_trigger_leaves_an_order_all_three_attempts(bench: Workbench) -> None:
    """The fault affects the first three swap requests, and the missed trigger uses one of them without sending."""
    order_id = an_open_order(bench, simulate="tx_dropped:3")
    push(bench, 120)
    push(bench, 100)
    bench.process_all()
    bench.clock.sleep(RETRIGGER_PAUSE)
    push(bench, 120)
    bench.process_all()
    order = bench.order(order_id)
    assert (order.status, order.attempts, order.missed_triggers) == (Status.CONFIRMED, 3, 1)


def pauses_of(bench: Workbench, order_id: str, times: int) -> list[float]:
    """The pauses in seconds of an order after each of its missed triggers."""
    pauses = []
    for _ in range(times):
        bench.process_all()
        since = bench.clock.now()
        while bench.engine.market.look() == 0:
            bench.clock.sleep(0.5)
        pauses.append((bench.clock.now() - since).total_seconds())
    assert bench.order(order_id).missed_triggers == times
    return pauses


def hovering(times: int) -> tuple[Workbench, str]:
    """A market just at the limit of an order that misses this many times."""
    bench = a_workbench(
        retrigger_pause_seconds=RETRIGGER_PAUSE, max_retrigger_pause_seconds=10.0, venue_profile="flat"
    )
    push(bench, 100)
    minimum = best_output(bench, a_limit()) * 9_970 // 10_000
    order_id = accept(bench, a_limit(price_for(a_limit(), minimum), simulate=f"slippage:{times}"))
    return bench, order_id


def test_each_missed_trigger_at_the_limit_doubles_the_pause_up_to_a_cap() -> None:
    bench, order_id = hovering(6)
    assert pauses_of(bench, order_id, 6) == [1, 2, 4, 8, 10, 10]
    bench.process_all()
    order = bench.order(order_id)
    assert (order.status, order.attempts, order.missed_triggers) == (Status.CONFIRMED, 1, 6)


def test_a_price_well_through_the_limit_triggers_a_pausing_order() -> None:
    bench, order_id = hovering(6)
    pauses_of(bench, order_id, 5)
    bench.process_all()
    bench.clock.sleep(RETRIGGER_PAUSE)
    assert bench.engine.market.look() == 0
    assert push(bench, 102) == 1
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_well_through_the_limit_every_sixth_missed_trigger_doubles_the_pause(bench: Workbench) -> None:
    order_id = an_open_order(bench, simulate="slippage:20")
    push(bench, 120)
    assert pauses_of(bench, order_id, 19) == [1] * 6 + [2] * 6 + [4] * 6 + [8]


def test_after_an_outage_of_a_venue_that_still_shows_its_price_an_order_fills_within_minutes(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*args: object) -> Quote:
        raise AttemptFailedError(FailureCode.VENUE_UNAVAILABLE, "the venue is down")

    router = bench.engine.queries.router
    outputs = {depth.venue: depth.swap(Side.SELL, 2 * 10**9).amount_out for depth in router.depths(SOL_USDC)}
    better = max(outputs, key=lambda venue: outputs[venue])
    order_id = ""
    with monkeypatch.context() as down:
        down.setattr(type(router.venue(better)), "quote", unavailable)
        order_id = accept(bench, a_limit(price_for(a_limit(), min(outputs.values()) * 1_004 // 1_000)))
        for _ in range(8 * 12):
            bench.process_all()
            bench.clock.sleep(5)
            bench.engine.market.look()
    assert bench.order(order_id).missed_triggers > 9
    back_at = bench.clock.now()
    while not bench.order(order_id).is_terminal:
        bench.process_all()
        bench.clock.sleep(5)
        bench.engine.market.look()
    assert bench.order(order_id).status is Status.CONFIRMED
    assert bench.clock.now() - back_at < timedelta(minutes=2)


def test_an_amendment_ends_the_pause_of_an_order(bench: Workbench) -> None:
    order_id = an_open_order(bench, simulate="slippage:1")
    push(bench, 120)
    bench.process_all()
    assert push(bench, 120) == 0
    bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(111)))
    assert bench.order(order_id).status is Status.TRIGGERED


def test_an_order_that_is_too_large_for_the_shrunk_pool_reopens(bench: Workbench) -> None:
    """A lower SOL price leaves less USDC in the pool, so the same payment has a larger impact."""
    order_id = accept(bench, a_limit(Decimal("99"), Side.BUY, amount_in=200_000 * 10**6))
    push(bench, 90)
    assert bench.order(order_id).status is Status.TRIGGERED
    push(bench, 3)
    bench.process_all()
    order = bench.order(order_id)
    assert bench.statuses(order_id)[-2:] == ["routing", "open"]
    assert (order.missed_triggers, order.fail_code) == (1, None)
    bench.clock.sleep(RETRIGGER_PAUSE)
    push(bench, 90)
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_a_pausing_order_does_not_keep_others_from_triggering(bench: Workbench) -> None:
    pausing = an_open_order(bench, simulate="slippage:1")
    push(bench, 120)
    bench.process_all()
    other = accept(bench, a_limit(125))
    assert push(bench, 140) == 1
    assert (bench.order(pausing).status, bench.order(other).status) == (Status.OPEN, Status.TRIGGERED)


def test_a_message_older_than_the_return_to_open_changes_nothing(bench: Workbench) -> None:
    order_id = an_open_order(bench)
    push(bench, 120)
    twice = bench.order_queue.bodies[0]
    push(bench, 100)
    bench.process_all()
    before = bench.order(order_id)
    bench.order_queue.bodies.append(twice)
    assert bench.process() is None
    assert bench.order(order_id) == before


@pytest.mark.parametrize(
    ("fault", "attempts"), [("slippage:1", 1), ("no_liquidity", 1), ("network_error:3", 3), ("tx_dropped:3", 3)]
)
def test_an_ioc_order_that_does_not_fill_expires(bench: Workbench, fault: str, attempts: int) -> None:
    order_id = accept(bench, a_limit(50, time_in_force=TimeInForce.IOC, simulate=fault))
    bench.process_all()
    order = bench.order(order_id)
    assert (order.status, order.attempts) == (Status.EXPIRED, attempts)
    assert meta_of(order.spec, order.events[-1])["code"].lower().startswith(fault.partition(":")[0])
    assert bench.ledger.swaps_of(order_id) == []


def test_an_ioc_order_that_lands_without_an_answer_is_confirmed(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(50, time_in_force=TimeInForce.IOC, simulate="landed_reply_lost:1"))
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_network_errors_use_up_the_attempts_of_a_limit_order(bench: Workbench) -> None:
    order_id = an_open_order(bench, simulate="network_error:9")
    push(bench, 120)
    bench.process_all()
    order = bench.order(order_id)
    assert (order.status, order.attempts, order.fail_code) == (Status.FAILED, 3, "NETWORK_ERROR")


# --- any path of prices ------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    side=st.sampled_from(Side),
    limit=st.integers(80, 120),
    paid=st.integers(1, 3_000),
    prices=st.lists(st.integers(60, 140), min_size=1, max_size=8),
    fault=st.sampled_from([None, "slippage:1", "tx_dropped:1", "landed_reply_lost:1"]),
    in_force=st.sampled_from([TimeInForce.GTC, TimeInForce.IOC]),
)
def test_no_fill_is_ever_below_the_limit(
    side: Side, limit: int, paid: int, prices: list[int], fault: str | None, in_force: TimeInForce
) -> None:
    bench = a_workbench()
    push(bench, 100)
    spec = a_limit(limit, side, amount_in=paid * 10**7, simulate=fault, time_in_force=in_force)
    order_id = accept(bench, spec)
    for price in prices:
        push(bench, price)
        if price % 2:
            bench.process_all()
        bench.clock.sleep(3)
    bench.process_all()
    order = bench.order(order_id)
    assert order.min_amount_out == spec.limit_min_out
    swaps = bench.ledger.swaps_of(order_id)
    assert len(swaps) == (order.status is Status.CONFIRMED)
    assert all(fill.amount_out >= (spec.limit_min_out or 0) for fill in swaps)
    allowed = {Status.CONFIRMED, Status.EXPIRED if in_force is TimeInForce.IOC else Status.OPEN}
    assert order.status in allowed
