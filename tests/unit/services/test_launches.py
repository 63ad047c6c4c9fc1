"""Sniper orders: the first launch that meets their filters triggers them once, and a refused launch has a reason."""

from decimal import Decimal
from typing import Any

import pytest

from chalicelib.api.meta import meta_of
from chalicelib.api.quotes import route_body
from chalicelib.api.responses.records import record_of
from chalicelib.domain import orders as orders_module
from chalicelib.domain.events import LaunchRefused, LaunchTriggered, VenueAnswer
from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.spec import Priority
from chalicelib.domain.status import Status
from chalicelib.domain.tokens import BY_SYMBOL
from chalicelib.services.market.launches import LINGER_MS
from chalicelib.simulation.venue import SimulatedVenue
from tests.support.callers import ANYONE
from tests.support.open_orders import MINT, a_launch, a_sniper, accept
from tests.support.workbench import Workbench, a_workbench

OTHER_MINT = "9xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


def launch(bench: Workbench, *args: Any, **changes: Any) -> bool:
    return bench.engine.market.announce_launch(ANYONE, a_launch(bench, *args, **changes))


def test_a_launch_triggers_a_sniper_order_which_buys_from_the_new_pool(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper())
    assert launch(bench) is True
    order = bench.order(order_id)
    assert order.status is Status.TRIGGERED
    trigger = order.events[-1].data
    assert isinstance(trigger, LaunchTriggered)
    assert trigger.launch.pool == "pool"
    meta = meta_of(order.spec, order.events[-1])
    assert meta["trigger"] == "launch"
    assert meta["launch"]["pool"] == "pool"
    assert len(bench.high_priority_queue.bodies) == 1, "it has high priority"
    assert order.spec.priority is Priority.HIGH
    bench.process_all()
    order = bench.order(order_id)
    assert (order.status, order.venue) == (Status.CONFIRMED, "raydium")
    # The output of 1 SOL at 0.001 per token, less the fee and its own price impact of 0.1 %.
    assert order.amount_out is not None
    assert 995 * 10**6 < order.amount_out < 1000 * 10**6
    assert len(bench.ledger.swaps_of(order_id)) == 1


def test_a_launch_triggers_all_orders_for_its_mint_and_no_others(bench: Workbench) -> None:
    mine = [accept(bench, a_sniper(user_id=user)) for user in ("alice", "bob")]
    other = accept(bench, a_sniper(OTHER_MINT))
    launch(bench)
    assert {bench.order(one).status for one in mine} == {Status.TRIGGERED}
    assert bench.statuses(other) == ["pending", "open"]


@pytest.mark.parametrize("changes", [{}, {"price": Decimal(5), "venue": "meteora"}])
def test_a_duplicate_announcement_of_a_launch_changes_nothing(bench: Workbench, changes: dict[str, Any]) -> None:
    order_id = accept(bench, a_sniper())
    assert launch(bench, "pool", 7) is True
    bench.process_all()
    seq = bench.order(order_id).seq
    assert launch(bench, "pool", 7, **changes) is False
    bench.engine.market.look()
    assert bench.order(order_id).seq == seq
    assert bench.order_queue.bodies == []


def test_several_launches_trigger_an_order_once(bench: Workbench) -> None:
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


@pytest.mark.parametrize(("filters", "wrong", "reason", "right"), FILTERS)
def test_an_order_refuses_a_launch_with_a_reason_and_waits_for_one_that_meets_its_filters(
    bench: Workbench, filters: dict[str, Any], wrong: dict[str, Any], reason: str, right: dict[str, Any]
) -> None:
    order_id = accept(bench, a_sniper(**filters))
    launch(bench, "first", **wrong)
    order = bench.order(order_id)
    assert bench.statuses(order_id) == ["pending", "open", "open"]
    refused = order.events[-1].data
    assert isinstance(refused, LaunchRefused)
    assert (
        record_of(order)["waitReason"] == meta_of(order.spec, order.events[-1])["reason"] == refused.reason == reason
    )
    assert bench.order_queue.bodies == []

    launch(bench, "second", **right)
    bench.process_all()
    order = bench.order(order_id)
    assert order.status is Status.CONFIRMED
    assert record_of(order)["waitReason"] is None
    assert (order.amount_out or 0) >= (order.spec.limit_min_out or 0)


def test_a_refusal_keeps_the_moment_and_the_market_data_that_it_was_judged_by(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper(max_price=Decimal("0.0005")))
    bench.clock.sleep(5)
    launched = a_launch(bench, slot=7)
    bench.clock.sleep(5)
    bench.engine.market.announce_launch(ANYONE, launched)
    refused = bench.order(order_id).events[-1].data
    assert isinstance(refused, LaunchRefused)
    assert (refused.judged_at_ms, refused.price_at_ms, refused.launch_slot) == (bench.clock.now_ms(), None, 7)


def test_a_launch_on_the_wrong_venue_is_refused_although_the_venue_cannot_show_its_pool(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise AttemptFailedError(FailureCode.VENUE_UNAVAILABLE, "down")

    monkeypatch.setattr(SimulatedVenue, "depth", fail)
    elsewhere, anywhere = accept(bench, a_sniper(venue="meteora")), accept(bench, a_sniper())
    launch(bench)
    refused = bench.order(elsewhere).events[-1].data
    assert refused == LaunchRefused(a_launch(bench), "launched on raydium, not on meteora")
    assert bench.statuses(anywhere) == ["pending", "open"]


def test_a_launch_just_within_the_filters_triggers(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper(venue="raydium", min_liquidity=Decimal(1000), max_price=Decimal("0.00101")))
    launch(bench)
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_an_order_buys_from_the_pool_that_triggered_it_and_not_from_a_refused_one(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper(min_liquidity=Decimal(900)))
    launch(bench, "cheap and shallow", price=Decimal("0.0005"), liquidity=Decimal(800))
    launch(bench, "deep", venue="meteora")
    bench.process_all()
    order = bench.order(order_id)
    assert (order.status, order.venue) == (Status.CONFIRMED, "meteora")


def test_a_second_pool_of_the_same_venue_does_not_divert_the_swap(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper(min_liquidity=Decimal(500)))
    launch(bench, "the one")
    launch(bench, "a trap", price=Decimal("0.1"), liquidity=Decimal(20))
    bench.process_all()
    order = bench.order(order_id)
    assert (order.amount_out or 0) > 995 * 10**6
    assert order.quotes
    assert order.quotes.answers[1] == VenueAnswer("meteora"), "the router does not ask the other venue"
    body = route_body(order.quotes, order.spec.token_in, order.spec.token_out)
    assert (body["mQuote"], body["degraded"]) == (None, False)


def test_the_filters_judge_each_pool_by_its_own_price_and_liquidity(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper(max_price=Decimal("0.00101"), min_liquidity=Decimal(900)))
    launch(bench, "cheap and shallow", price=Decimal("0.0005"), liquidity=Decimal(800))
    launch(bench, "deep and dear", venue="meteora", price=Decimal("0.002"))
    assert bench.statuses(order_id) == ["pending", "open", "open", "open"]
    assert bench.order(order_id).wait_reason == "the whole amount costs more than 0.00101"


def test_a_launch_without_a_quote_token_triggers_orders_that_pay_with_any_token(bench: Workbench) -> None:
    usdc = BY_SYMBOL["USDC"]
    orders = [accept(bench, a_sniper()), accept(bench, a_sniper(token_in=usdc, paid=10**6))]
    launch(bench, quote=None)
    bench.process_all()
    assert {bench.order(one).status for one in orders} == {Status.CONFIRMED}


def test_an_order_refuses_each_launch_once(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper(venue="meteora"))
    launch(bench, "one")
    launch(bench, "two")
    for _ in range(20):
        bench.clock.sleep(5)
        bench.engine.market.look()
    assert bench.statuses(order_id) == ["pending", "open", "open", "open"]


def test_a_later_look_finds_an_order_that_was_written_during_the_launch(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The acceptance found no pool, and the watcher had scanned the launch before the order was written."""
    order_id = accept(bench, a_sniper())
    with monkeypatch.context() as lagging:
        lagging.setattr(bench.open_order_index, "for_launch", lambda mint: iter(()))
        launch(bench)
    assert bench.order(order_id).status is Status.OPEN
    bench.clock.sleep(5)
    assert bench.engine.market.look() == 1
    assert bench.order(order_id).status is Status.TRIGGERED


def test_a_launch_stays_pending_for_its_linger_time_only(bench: Workbench) -> None:
    launch(bench)
    bench.clock.sleep(LINGER_MS / 1000)
    bench.engine.market.look()
    assert len(bench.markets.pending_launches()) == 1
    bench.clock.sleep(1)
    bench.engine.market.look()
    assert bench.markets.pending_launches() == []


def test_if_a_worker_dies_after_the_announcement_the_next_look_triggers_the_orders(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper())
    bench.markets.announce(a_launch(bench))
    assert bench.engine.market.look() == 1
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_the_following_looks_trigger_the_orders_beyond_a_batch() -> None:
    bench = a_workbench(trigger_batch=2)
    orders = [accept(bench, a_sniper()) for _ in range(5)]
    refused = accept(bench, a_sniper(venue="meteora"))
    launch(bench)
    bench.clock.sleep(2 * LINGER_MS / 1000)
    assert [bench.engine.market.look(), bench.engine.market.look()] == [2, 1]
    assert {bench.order(one).status for one in orders} == {Status.TRIGGERED}
    assert bench.statuses(refused) == ["pending", "open", "open"]
    assert bench.markets.pending_launches() == []


def test_an_order_that_stores_no_more_refusals_still_gets_each_launch_that_suits_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(orders_module, "MAX_STORED_REFUSALS", 1)
    bench = a_workbench(trigger_batch=1)
    orders = [accept(bench, a_sniper(venue="meteora")) for _ in range(3)]
    for pool in ("one", "two"):
        launch(bench, pool)
        for _ in range(20):
            bench.clock.sleep(5)
            bench.engine.market.look()
    assert {bench.order(order_id).seq for order_id in orders} == {3}
    assert bench.markets.pending_launches() == []
    bench.markets.announce(a_launch(bench, venue="meteora"))
    bench.clock.sleep(2 * LINGER_MS / 1000)
    assert [bench.engine.market.look() for _ in range(4)] == [1, 1, 1, 0]
    assert bench.markets.pending_launches() == []


def test_a_refusal_without_postgres_is_recorded_later(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper(venue="meteora"))
    bench.history.down = True
    launch(bench)
    bench.history.down = False
    bench.clock.sleep(bench.engine.settings.deadline_grace_seconds)
    bench.engine.watchdog()
    recorded = bench.history.events[order_id][3]
    assert meta_of(bench.order(order_id).spec, recorded)["reason"] == "launched on raydium, not on meteora"


# --- launches of the simulated market ----------------------------------------------------------------------


def test_with_simulated_launches_every_awaited_mint_launches() -> None:
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


def test_without_simulated_launches_no_mint_launches_by_itself(bench: Workbench) -> None:
    order_id = accept(bench, a_sniper())
    for _ in range(24):
        bench.clock.sleep(3600)
        bench.engine.market.look()
    assert bench.statuses(order_id) == ["pending", "open"]


def test_an_announced_mint_has_no_simulated_launch() -> None:
    bench = a_workbench(simulated_launch_seconds=60)
    order_id = accept(bench, a_sniper(venue="meteora"))
    launch(bench)
    for _ in range(24):
        bench.clock.sleep(5)
        bench.engine.market.look()
    assert bench.statuses(order_id) == ["pending", "open", "open"]


def test_a_launched_mint_leaves_the_watch_list() -> None:
    bench = a_workbench(simulated_launch_seconds=60)
    accept(bench, a_sniper())
    assert len(bench.markets.watch_entries(bench.clock.now_ms())) == 1
    for _ in range(24):
        bench.clock.sleep(5)
        bench.engine.market.look()
    assert bench.markets.watch_entries(bench.clock.now_ms()) == []


def test_without_simulated_launches_a_mint_is_not_on_the_watch_list(bench: Workbench) -> None:
    accept(bench, a_sniper())
    assert bench.markets.watch_entries(bench.clock.now_ms()) == []
