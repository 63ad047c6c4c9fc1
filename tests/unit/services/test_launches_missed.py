"""A launch is not lost on an order that waited for it, whatever fails while it is worked through."""

from decimal import Decimal
from typing import Any

import pytest

from chalicelib.domain.conditions import Launch
from chalicelib.domain.status import Status
from chalicelib.ports.orders import StoredOrder
from tests.faults.virtual.open_orders import MINT, sniper_terms
from tests.support.callers import ANYONE
from tests.support.workbench import Workbench, a_workbench

LOOK_SECONDS = 5
#: Longer than a launch is worked through, if nothing keeps it from being finished.
ENOUGH = 40


def a_launch(bench: Workbench, venue: str = "raydium", liquidity: int = 10_000) -> Launch:
    now_ms = bench.clock.now_ms()
    return Launch(MINT, venue, f"pool of {venue}", 1, Decimal("0.001"), Decimal(liquidity), now_ms)


def look(bench: Workbench, times: int) -> None:
    for _ in range(times):
        bench.clock.sleep(LOOK_SECONDS)
        bench.engine.market.look()


def test_a_write_that_fails_for_a_while_leaves_the_order_to_a_later_look(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = a_workbench()
    order_id = bench.submit(**sniper_terms())
    with monkeypatch.context() as throttled:

        def fails(*args: object, **kwargs: object) -> StoredOrder:
            raise ConnectionError("throttled")

        throttled.setattr(bench.orders, "write", fails)
        bench.engine.market.announce_launch(ANYONE, a_launch(bench))
        look(bench, ENOUGH)
        assert bench.order(order_id).status is Status.OPEN
    look(bench, 1)
    assert bench.order(order_id).status is Status.TRIGGERED
    look(bench, ENOUGH)
    assert bench.markets.pending_launches() == []


def test_a_pool_that_cannot_be_looked_at_is_no_pool_that_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = a_workbench()
    order_id = bench.submit(**sniper_terms())
    with monkeypatch.context() as throttled:

        def fails(*args: object) -> None:
            raise ConnectionError("throttled")

        throttled.setattr(bench.markets, "known", fails)
        bench.engine.market.announce_launch(ANYONE, a_launch(bench))
        look(bench, ENOUGH)
        assert bench.statuses(order_id) == ["pending", "open"]
    look(bench, 1)
    assert bench.order(order_id).status is Status.TRIGGERED


def test_each_of_two_launches_refuses_an_order_once() -> None:
    bench = a_workbench()
    order_id = bench.submit(**sniper_terms(min_liquidity=Decimal(5000)))
    for venue in ("raydium", "meteora"):
        bench.engine.market.announce_launch(ANYONE, a_launch(bench, venue, 100))
    look(bench, ENOUGH)
    refused = [event.meta["launchId"] for event in bench.order(order_id).events if "launchId" in event.meta]
    assert len(refused) == len(set(refused)) == 2
    assert bench.markets.pending_launches() == []


def test_an_order_that_was_long_in_being_written_still_finds_its_launch(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was accepted while nothing had launched, and is not told that it came too late."""
    bench = a_workbench()
    create = bench.orders.create

    def stalled(*args: Any, **kwargs: Any) -> StoredOrder:
        bench.engine.market.announce_launch(ANYONE, a_launch(bench))
        look(bench, 5)
        return create(*args, **kwargs)

    monkeypatch.setattr(bench.orders, "create", stalled)
    order_id = bench.submit(**sniper_terms())
    look(bench, 1)
    assert bench.order(order_id).status is Status.TRIGGERED


def test_one_that_cannot_be_told_why_not_keeps_nobody_from_being_released(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = a_workbench()
    unsuited = bench.submit(**sniper_terms(min_liquidity=Decimal(10**6)))
    suited = bench.submit(**sniper_terms())
    write = bench.orders.write

    def fails(before: StoredOrder, *args: Any, **kwargs: Any) -> StoredOrder:
        if before.order.order_id == unsuited:
            raise ConnectionError("throttled")
        return write(before, *args, **kwargs)

    monkeypatch.setattr(bench.orders, "write", fails)
    assert bench.engine.market.announce_launch(ANYONE, a_launch(bench)) is True
    assert bench.order(suited).status is Status.TRIGGERED


def test_who_is_released_does_not_wait_until_the_others_are_told_why_they_are_not() -> None:
    bench = a_workbench(trigger_batch=3)
    unsuited = [bench.submit(**sniper_terms(min_liquidity=Decimal(10**6))) for _ in range(8)]
    suited = bench.submit(**sniper_terms())
    bench.engine.market.announce_launch(ANYONE, a_launch(bench))
    assert bench.order(suited).status is Status.TRIGGERED
    told = [sum(len(bench.order(one).events) == 3 for one in unsuited)]
    for _ in range(2):
        look(bench, 1)
        told.append(sum(len(bench.order(one).events) == 3 for one in unsuited))
    assert told == [3, 6, 8]
