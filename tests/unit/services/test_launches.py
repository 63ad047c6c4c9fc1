"""Sniper orders: released by the first launch that suits them, once, and told why another did not."""

from decimal import Decimal
from typing import Any

import pytest

from chalicelib.api.responses.records import record_of
from chalicelib.domain.spec import Priority
from chalicelib.domain.status import Status
from chalicelib.domain.tokens import BY_SYMBOL
from chalicelib.services.market.launches import LINGER_MS
from tests.support.callers import ANYONE
from tests.support.open_orders import MINT, a_launch, a_sniper, accept
from tests.support.workbench import Workbench, a_workbench

OTHER_MINT = "9xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


def launch(bench: Workbench, *args: Any, **changes: Any) -> bool:
    return bench.engine.market.announce_launch(ANYONE, a_launch(bench, *args, **changes))


def test_a_launch_releases_who_waited_and_the_order_buys_from_the_new_pool(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper())
    assert launch(bench) is True
    order = bench.order(order_id)
    assert order.status is Status.TRIGGERED
    assert order.events[-1].meta["trigger"] == "launch"
    assert order.events[-1].meta["launch"]["pool"] == "pool"
    assert len(bench.high_priority_queue.bodies) == 1, "it takes the fast lane"
    assert order.spec.priority is Priority.HIGH
    bench.process_all()
    order = bench.order(order_id)
    assert (order.status, order.venue) == (Status.CONFIRMED, "raydium")
    # One SOL at 0.001 a token, less the fee and its own impact of a thousandth.
    assert order.amount_out is not None
    assert 995 * 10**6 < order.amount_out < 1000 * 10**6
    assert len(bench.ledger.swaps_of(order_id)) == 1


def test_a_launch_releases_all_of_its_mint_and_nobody_else(bench: Workbench) -> None:
    mine = [accept(bench, a_sniper(user_id=user)) for user in ("alice", "bob")]
    other = accept(bench, a_sniper(OTHER_MINT))
    launch(bench)
    assert {bench.order(one).status for one in mine} == {Status.TRIGGERED}
    assert bench.statuses(other) == ["pending", "open"]


@pytest.mark.parametrize("changes", [{}, {"price": Decimal(5), "venue": "meteora"}])
def test_a_launch_that_is_told_of_twice_is_one(bench: Workbench, changes: dict[str, Any]) -> None:
    order_id = accept(bench, a_sniper())
    assert launch(bench, "pool", 7) is True
    bench.process_all()
    seq = bench.order(order_id).seq
    assert launch(bench, "pool", 7, **changes) is False
    bench.engine.market.look()
    assert bench.order(order_id).seq == seq
    assert bench.order_queue.bodies == []


def test_an_order_is_released_once_however_many_launches_there_are(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper())
    for pool in ("one", "two", "three"):
        assert launch(bench, pool) is True
    bench.process_all()
    assert len(bench.ledger.swaps_of(order_id)) == 1
    assert bench.statuses(order_id).count("triggered") == 1


FILTERS = [
    ({"venue": "meteora"}, {}, "launched on raydium, not on meteora", {"venue": "meteora"}),
    ({"min_liquidity": Decimal(1001)}, {}, "liquidity of 1000 is less than 1001", {"liquidity": Decimal(1001)}),
    ({"max_price": Decimal("0.001")}, {}, "the whole amount costs more than 0.001", {"price": Decimal("0.0009")}),
    ({}, {"quote": "USDC"}, "the pool trades against USDC", {"quote": "SOL"}),
    ({}, {"liquidity": Decimal(5)}, "the pool is too small for this amount", {"liquidity": Decimal(500)}),
]


@pytest.mark.parametrize(("asked", "wrong", "reason", "right"), FILTERS)
def test_an_order_waits_on_for_a_launch_that_suits_it_and_says_why(
    bench: Workbench, asked: dict[str, Any], wrong: dict[str, Any], reason: str, right: dict[str, Any]
) -> None:
    order_id = accept(bench, a_sniper(**asked))
    launch(bench, "first", **wrong)
    order = bench.order(order_id)
    assert bench.statuses(order_id) == ["pending", "open", "open"]
    assert record_of(order)["waitReason"] == order.events[-1].meta["reason"] == reason
    assert bench.order_queue.bodies == []

    launch(bench, "second", **right)
    bench.process_all()
    order = bench.order(order_id)
    assert order.status is Status.CONFIRMED
    assert record_of(order)["waitReason"] is None
    assert (order.amount_out or 0) >= (order.spec.limit_min_out or 0)


def test_filters_let_pass_what_is_just_within_them(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper(venue="raydium", min_liquidity=Decimal(1000), max_price=Decimal("0.00101")))
    launch(bench)
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_an_order_buys_in_the_pool_that_released_it_and_not_in_one_that_did_not_suit_it(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper(min_liquidity=Decimal(900)))
    launch(bench, "cheap and shallow", price=Decimal("0.0005"), liquidity=Decimal(800))
    launch(bench, "deep", venue="meteora")
    bench.process_all()
    order = bench.order(order_id)
    assert (order.status, order.venue) == (Status.CONFIRMED, "meteora")


def test_a_pool_that_is_opened_beside_it_before_the_swap_takes_nothing_from_it(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper(min_liquidity=Decimal(500)))
    launch(bench, "the one")
    launch(bench, "a trap", price=Decimal("0.1"), liquidity=Decimal(20))
    bench.process_all()
    order = bench.order(order_id)
    assert (order.amount_out or 0) > 995 * 10**6
    assert order.quotes
    assert (order.quotes["mQuote"], order.quotes["degraded"]) == (None, False), "the other venue was not to be asked"


def test_a_pool_is_judged_by_what_it_has_itself(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper(max_price=Decimal("0.00101"), min_liquidity=Decimal(900)))
    launch(bench, "cheap and shallow", price=Decimal("0.0005"), liquidity=Decimal(800))
    launch(bench, "deep and dear", venue="meteora", price=Decimal("0.002"))
    assert bench.statuses(order_id) == ["pending", "open", "open", "open"]
    assert bench.order(order_id).wait_reason == "the whole amount costs more than 0.00101"


def test_a_launch_without_a_quote_token_suits_whatever_an_order_pays_with(bench: Workbench) -> None:
    usdc = BY_SYMBOL["USDC"]
    orders = [accept(bench, a_sniper()), accept(bench, a_sniper(token_in=usdc, paid=10**6))]
    launch(bench, quote=None)
    bench.process_all()
    assert {bench.order(one).status for one in orders} == {Status.CONFIRMED}


def test_an_order_is_told_of_each_launch_once(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper(venue="meteora"))
    launch(bench, "one")
    launch(bench, "two")
    for _ in range(20):
        bench.clock.sleep(5)
        bench.engine.market.look()
    assert bench.statuses(order_id) == ["pending", "open", "open", "open"]


def test_an_order_that_came_in_between_is_found_by_a_later_look(bench: Workbench) -> None:
    """Its check found no pool, and its write came after the launch had been worked through."""
    order_id = accept(bench, a_sniper())
    found, bench.open_order_index.for_launch = bench.open_order_index.for_launch, lambda mint: iter(())  # type: ignore[method-assign]
    launch(bench)
    assert bench.order(order_id).status is Status.OPEN
    bench.open_order_index.for_launch = found  # type: ignore[method-assign]
    bench.clock.sleep(5)
    assert bench.engine.market.look() == 1
    assert bench.order(order_id).status is Status.TRIGGERED


def test_a_launch_is_looked_after_for_a_while_and_then_done_with(bench: Workbench) -> None:
    launch(bench)
    bench.clock.sleep(LINGER_MS / 1000)
    bench.engine.market.look()
    assert len(bench.markets.pending_launches()) == 1
    bench.clock.sleep(1)
    bench.engine.market.look()
    assert bench.markets.pending_launches() == []


def test_a_worker_that_dies_after_the_announcement_leaves_the_release_to_the_next_look(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper())
    bench.markets.announce(a_launch(bench))
    assert bench.engine.market.look() == 1
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_more_than_a_batch_is_released_by_the_looks_that_follow() -> None:
    bench = a_workbench(trigger_batch=2)
    orders = [accept(bench, a_sniper()) for _ in range(5)]
    refused = accept(bench, a_sniper(venue="meteora"))
    launch(bench)
    bench.clock.sleep(2 * LINGER_MS / 1000)
    assert [bench.engine.market.look(), bench.engine.market.look()] == [2, 1]
    assert {bench.order(one).status for one in orders} == {Status.TRIGGERED}
    assert bench.statuses(refused) == ["pending", "open", "open"]
    assert bench.markets.pending_launches() == []


def test_a_refusal_while_the_history_is_away_is_recorded_when_it_is_back(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper(venue="meteora"))
    bench.history.down = True
    launch(bench)
    bench.history.down = False
    bench.clock.sleep(bench.engine.settings.deadline_grace_seconds)
    bench.engine.watchdog()
    assert bench.history.events[order_id][3].meta["reason"] == "launched on raydium, not on meteora"


# --- launches of the simulated market ----------------------------------------------------------------------


def test_what_somebody_waits_for_launches_by_itself_where_the_deployment_says_so() -> None:
    bench = a_workbench(simulated_launch_seconds=60)
    orders = [accept(bench, a_sniper(mint, 10**8)) for mint in (MINT, OTHER_MINT)]
    bench.engine.market.look()
    assert {bench.order(one).status for one in orders} == {Status.OPEN}
    for _ in range(13):
        bench.clock.sleep(5)
        bench.engine.market.look()
    bench.process_all()
    assert {bench.order(one).status for one in orders} == {Status.CONFIRMED}
    assert {len(bench.ledger.swaps_of(one)) for one in orders} == {1}


def test_nothing_launches_by_itself_elsewhere(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper())
    for _ in range(24):
        bench.clock.sleep(3600)
        bench.engine.market.look()
    assert bench.statuses(order_id) == ["pending", "open"]


def test_what_was_launched_does_not_launch_by_itself_again() -> None:
    bench = a_workbench(simulated_launch_seconds=60)
    order_id = accept(bench, a_sniper(venue="meteora"))
    launch(bench)
    for _ in range(24):
        bench.clock.sleep(5)
        bench.engine.market.look()
    assert bench.statuses(order_id) == ["pending", "open", "open"]


def test_a_launch_that_has_been_is_not_looked_for_any_more() -> None:
    bench = a_workbench(simulated_launch_seconds=60)
    accept(bench, a_sniper())
    assert len(bench.markets.watch_entries(bench.clock.now_ms())) == 1
    for _ in range(24):
        bench.clock.sleep(5)
        bench.engine.market.look()
    assert bench.markets.watch_entries(bench.clock.now_ms()) == []


def test_where_launches_are_told_of_nobody_looks_for_them(bench: Workbench) -> None:
    accept(bench, a_sniper())
    assert bench.markets.watch_entries(bench.clock.now_ms()) == []
