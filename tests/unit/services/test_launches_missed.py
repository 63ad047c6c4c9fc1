"""A launch reaches every open order for its mint, although calls fail while the engine processes it."""

from decimal import Decimal
from typing import Any

import pytest

from chalicelib.api.meta import meta_of
from chalicelib.domain.conditions import Launch
from chalicelib.domain.events import LaunchRefused
from chalicelib.domain.status import Status
from chalicelib.ports.orders import StoredOrder
from tests.faults.virtual.open_orders import MINT, sniper_terms
from tests.support.callers import ANYONE
from tests.support.workbench import Workbench, a_workbench

LOOK_SECONDS = 5
#: Looks that take longer together than the linger time of a launch.
ENOUGH = 40


def a_launch(bench: Workbench, venue: str = "raydium", liquidity: int = 10_000) -> Launch:
    now_ms = bench.clock.now_ms()
    return Launch(MINT, venue, f"pool of {venue}", 1, Decimal("0.001"), Decimal(liquidity), now_ms)


def look(bench: Workbench, times: int) -> None:
    for _ in range(times):
        bench.clock.sleep(LOOK_SECONDS)
        bench.engine.market.look()


def test_a_later_look_triggers_an_order_whose_write_failed_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_pool_that_its_venue_cannot_show_does_not_count_as_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = a_workbench()
    order_id = bench.submit(**sniper_terms())
    with monkeypatch.context() as throttled:

        def fails(*args: object) -> None:
            raise ConnectionError("throttled")

        throttled.setattr(bench.markets, "snapshot", fails)
        bench.engine.market.announce_launch(ANYONE, a_launch(bench))
        look(bench, ENOUGH)
        assert bench.statuses(order_id) == ["pending", "open"]
    look(bench, 1)
    assert bench.order(order_id).status is Status.TRIGGERED


def test_an_order_refuses_each_of_two_launches_once() -> None:
    bench = a_workbench()
    order_id = bench.submit(**sniper_terms(min_liquidity=Decimal(5000)))
    for venue in ("raydium", "meteora"):
        bench.engine.market.announce_launch(ANYONE, a_launch(bench, venue, 100))
    look(bench, ENOUGH)
    order = bench.order(order_id)
    refused = [event.data.launch.id for event in order.events if isinstance(event.data, LaunchRefused)]
    assert len(refused) == len(set(refused)) == 2
    metas = [meta_of(order.spec, event) for event in order.events]
    assert [meta["launchId"] for meta in metas if "launchId" in meta] == refused
    assert bench.markets.pending_launches() == []


def test_a_launch_triggers_an_order_that_is_written_a_while_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine accepted the order before the launch, so the launch concerns it."""
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


def test_a_refusal_that_cannot_be_written_keeps_no_other_order_from_triggering(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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


def test_an_order_triggers_before_all_refusals_are_written() -> None:
    bench = a_workbench(trigger_batch=3)
    unsuited = [bench.submit(**sniper_terms(min_liquidity=Decimal(10**6))) for _ in range(8)]
    suited = bench.submit(**sniper_terms())
    bench.engine.market.announce_launch(ANYONE, a_launch(bench))
    assert bench.order(suited).status is Status.TRIGGERED
    refused = [sum(len(bench.order(one).events) == 3 for one in unsuited)]
    for _ in range(2):
        look(bench, 1)
        refused.append(sum(len(bench.order(one).events) == 3 for one in unsuited))
    assert refused == [3, 6, 8]
