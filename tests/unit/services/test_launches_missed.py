"""A launch is not lost on an order that waited for it, whatever fails while it is worked through."""

from decimal import Decimal

import pytest

from chalicelib.domain.status import Status
from chalicelib.domain.terms import Launch
from chalicelib.ports import Tracked
from tests.faults.virtual.waiting import MINT, sniper_terms
from tests.support.bench import Bench, a_bench

LOOK_SECONDS = 5
#: Longer than a launch is worked through, if nothing keeps it from being finished.
ENOUGH = 40


def a_launch(bench: Bench, venue: str = "raydium", liquidity: int = 10_000) -> Launch:
    now_ms = bench.clock.now_ms()
    return Launch(MINT, venue, f"pool of {venue}", 1, Decimal("0.001"), Decimal(liquidity), now_ms)


def look(bench: Bench, times: int) -> None:
    for _ in range(times):
        bench.clock.sleep(LOOK_SECONDS)
        bench.engine.market.look()


def test_a_write_that_fails_for_a_while_leaves_the_order_to_a_later_look(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = a_bench()
    order_id = bench.submit(**sniper_terms())
    with monkeypatch.context() as throttled:

        def fails(*args: object, **kwargs: object) -> Tracked:
            raise ConnectionError("throttled")

        throttled.setattr(bench.orders, "write", fails)
        bench.engine.market.launch(a_launch(bench))
        look(bench, ENOUGH)
        assert bench.order(order_id).status is Status.OPEN
    look(bench, 1)
    assert bench.order(order_id).status is Status.TRIGGERED
    look(bench, ENOUGH)
    assert bench.markets.unfinished() == []


def test_a_pool_that_cannot_be_looked_at_is_no_pool_that_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = a_bench()
    order_id = bench.submit(**sniper_terms())
    with monkeypatch.context() as throttled:

        def fails(*args: object) -> None:
            raise ConnectionError("throttled")

        throttled.setattr(bench.markets, "known", fails)
        bench.engine.market.launch(a_launch(bench))
        look(bench, ENOUGH)
        assert bench.statuses(order_id) == ["pending", "open"]
    look(bench, 1)
    assert bench.order(order_id).status is Status.TRIGGERED


def test_each_of_two_launches_refuses_an_order_once() -> None:
    bench = a_bench()
    order_id = bench.submit(**sniper_terms(min_liquidity=Decimal(5000)))
    for venue in ("raydium", "meteora"):
        bench.engine.market.launch(a_launch(bench, venue, 100))
    look(bench, ENOUGH)
    refused = [event.meta["launchId"] for event in bench.order(order_id).events if "launchId" in event.meta]
    assert len(refused) == len(set(refused)) == 2
    assert bench.markets.unfinished() == []


def test_an_order_that_was_long_in_being_written_still_finds_its_launch(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was accepted while nothing had launched, and is not told that it came too late."""
    bench = a_bench()
    watch = bench.markets.watch

    def stalled(key: str, now_ms: int, until_ms: int) -> None:
        watch(key, now_ms, until_ms)
        bench.engine.market.launch(a_launch(bench))
        look(bench, 5)

    monkeypatch.setattr(bench.markets, "watch", stalled)
    order_id = bench.submit(**sniper_terms())
    look(bench, 1)
    assert bench.order(order_id).status is Status.TRIGGERED
