"""A look at the market queries no more than the open orders need, and what it looks at side by side."""

from collections.abc import Iterator
from decimal import Decimal
from threading import Barrier, Lock
from typing import Any

import pytest

from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import BY_SYMBOL, Pair, Side, find_market
from chalicelib.ports.market import PushedPrice
from chalicelib.ports.orders import StoredOrder
from chalicelib.routing.best_swap import max_amount
from chalicelib.services.operations.looks import LookFailedError
from chalicelib.simulation.launches import pool_address
from orderengine.testing.fakes.open_orders import FakeOpenOrderIndex
from tests.support.callers import ANYONE
from tests.support.open_orders import MINT, SOL_USDC, a_launch, a_limit, a_sniper, accept, push
from tests.support.workbench import Workbench, a_workbench

JUP_USDC = Pair(base=BY_SYMBOL["JUP"], quote=BY_SYMBOL["USDC"])
_LIMIT: dict[str, Any] = {"type": OrderType.LIMIT, "time_in_force": TimeInForce.GTC}
_BUY: dict[str, Any] = {"side": Side.BUY, "token_in": BY_SYMBOL["USDC"], "token_out": BY_SYMBOL["SOL"]}


@pytest.mark.parametrize(
    ("open_orders", "queried"),
    [
        ([{"limit_price": Decimal(900)}], [Side.SELL]),
        ([{"limit_price": Decimal(10), **_BUY}], [Side.BUY]),
        ([{"limit_price": Decimal(900)}, {"limit_price": Decimal(10), **_BUY}], [Side.BUY, Side.SELL]),
    ],
)
def test_a_look_queries_only_the_sides_that_have_open_orders(
    open_orders: list[dict[str, Any]], queried: list[Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = a_workbench()
    sides: list[Side] = []
    for changes in open_orders:
        bench.submit(**_LIMIT, **changes)
    crossed = FakeOpenOrderIndex.crossed

    def record_side(
        self: FakeOpenOrderIndex, pair: Pair, side: Side, price: Decimal, max_amount: int
    ) -> Iterator[StoredOrder]:
        sides.append(side)
        return crossed(self, pair, side, price, max_amount)

    monkeypatch.setattr(FakeOpenOrderIndex, "crossed", record_side)
    bench.engine.market.look()
    assert sorted(sides) == queried


def test_a_look_reads_the_prices_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = a_workbench()
    for token, amount_in in (("SOL", 10**9), ("JUP", 10**6)):
        for sells in (True, False):
            swap = (token, "USDC") if sells else ("USDC", token)
            open_far_from_the_market(bench, *swap, amount_in if sells else 10**6)
    together, crossed = Barrier(4, timeout=10), FakeOpenOrderIndex.crossed

    def with_others(self: FakeOpenOrderIndex, *asked: Any) -> Iterator[StoredOrder]:
        together.wait()
        return crossed(self, *asked)

    monkeypatch.setattr(FakeOpenOrderIndex, "crossed", with_others)
    assert bench.engine.market.look() == 0


def open_far_from_the_market(bench: Workbench, token_in: str, token_out: str, amount_in: int) -> None:
    tokens: dict[str, Any] = {
        "token_in": BY_SYMBOL[token_in],
        "token_out": BY_SYMBOL[token_out],
        "amount_in": amount_in,
    }
    side = Side.BUY if token_in == "USDC" else Side.SELL
    limit = Decimal("0.01") if side is Side.BUY else Decimal(10_000)
    bench.submit(**_LIMIT, side=side, limit_price=limit, **tokens)


def test_a_look_goes_on_until_no_order_is_left() -> None:
    bench = a_workbench(trigger_batch=3, max_open_orders_per_user=0)
    push(bench, 100)
    orders = [accept(bench, a_limit(110)) for _ in range(100)]
    bench.markets.push_price(SOL_USDC, PushedPrice(Decimal(130), bench.clock.now_ms()))
    bench.clock.sleep(1)
    assert bench.engine.market.look() == len(orders)


@pytest.mark.parametrize("tick_seconds", [5, 60])
def test_a_look_ends_within_its_function_and_has_turned_to_every_price(
    tick_seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each trigger takes a tenth of a second here, and a look triggers sixteen orders of each price in turn."""
    bench = a_workbench(market_tick_seconds=tick_seconds)
    jup: dict[str, Any] = {"token_in": BY_SYMBOL["JUP"], "amount_in": 10**8, "limit_price": Decimal(2)}
    orders = {
        pair: [accept(bench, a_limit(110, **swap)) for _ in range(50)]
        for pair, swap in ((SOL_USDC, {}), (JUP_USDC, jup))
    }
    for pair, price in ((SOL_USDC, 130), (JUP_USDC, 3)):
        bench.markets.push_price(pair, PushedPrice(Decimal(price), bench.clock.now_ms()))
    bench.clock.sleep(1)
    write, one_at_a_time = bench.orders.write, Lock()

    def slow(*arguments: Any, **named: Any) -> StoredOrder:
        with one_at_a_time:
            bench.clock.sleep(0.1)
        return write(*arguments, **named)

    monkeypatch.setattr(bench.orders, "write", slow)
    assert bench.engine.market.look() == 64
    for of_pair in orders.values():
        assert [bench.order(order_id).status for order_id in of_pair].count(Status.TRIGGERED) == 32
    assert bench.engine.market.look() == 36


@pytest.mark.parametrize("simulated", [0, 5])
def test_a_flood_of_launches_delays_no_price_and_is_worked_off(
    monkeypatch: pytest.MonkeyPatch, simulated: int
) -> None:
    """The orders of a launch take a second to read here."""
    bench = a_workbench(market_tick_seconds=9, simulated_launch_seconds=simulated)
    mints = [pool_address("flood", str(number)) for number in range(20)]
    snipers = [accept(bench, a_sniper(mint)) for mint in mints]
    limit = accept(bench, a_limit(110))
    if not simulated:
        for mint in mints:
            bench.markets.announce(a_launch(bench, mint=mint))
    bench.markets.push_price(SOL_USDC, PushedPrice(Decimal(130), bench.clock.now_ms()))
    bench.clock.sleep(5)
    for_launch, one_at_a_time = bench.open_order_index.for_launch, Lock()

    def slow(mint: str) -> Iterator[StoredOrder]:
        with one_at_a_time:
            bench.clock.sleep(1)
        return for_launch(mint)

    monkeypatch.setattr(bench.open_order_index, "for_launch", slow)
    began = bench.clock.now()
    bench.engine.market.look()
    assert (bench.clock.now() - began).total_seconds() < 20
    assert bench.order(limit).status is Status.TRIGGERED
    for _ in range(120):
        bench.engine.market.look()
        bench.clock.sleep(0.7)
    assert {bench.order(order_id).status for order_id in snipers} == {Status.TRIGGERED}


def test_the_price_of_a_mint_without_a_pool_is_not_kept() -> None:
    bench = a_workbench()
    pair = find_market(f"{MINT}/SOL")
    assert pair is not None
    bench.engine.market.push_price(ANYONE, pair, Decimal(1))
    assert bench.markets.snapshot(pair).price is None
    bench.engine.market.announce_launch(ANYONE, a_launch(bench))
    bench.engine.market.push_price(ANYONE, pair, Decimal(2))
    assert bench.markets.snapshot(pair).price == PushedPrice(Decimal(2), bench.clock.now_ms())


def test_a_price_that_cannot_be_read_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = a_workbench()
    accept(bench, a_limit(10, Side.BUY))
    order_id = accept(bench, a_limit(110))
    bench.markets.push_price(SOL_USDC, PushedPrice(Decimal(130), bench.clock.now_ms()))
    bench.clock.sleep(1)
    crossed = FakeOpenOrderIndex.crossed

    def sells_only(self: FakeOpenOrderIndex, pair: Pair, side: Side, *asked: Any) -> Iterator[StoredOrder]:
        if side is Side.BUY:
            raise ConnectionError
        return crossed(self, pair, side, *asked)

    monkeypatch.setattr(FakeOpenOrderIndex, "crossed", sells_only)
    with pytest.raises(LookFailedError, match="SOL/USDC#buy"):
        bench.engine.market.look()
    assert bench.order(order_id).status is Status.TRIGGERED


def test_orders_too_large_for_every_pool_are_not_read_and_trigger_once_a_pool_is_deep_enough() -> None:
    """A pool takes about a ninth of its reserve. A higher SOL price leaves more USDC in the pools."""
    bench = a_workbench()
    push(bench, 100)
    largest = max_amount(bench.engine.queries.router.depths(SOL_USDC), Side.BUY)
    orders = [accept(bench, a_limit(200, Side.BUY, amount_in=largest * 11 // 10)) for _ in range(3)]
    assert {bench.order(order_id).status for order_id in orders} == {Status.OPEN}
    bench.open_order_index.taken = 0
    assert [bench.engine.market.look() for _ in range(3)] == [0, 0, 0]
    assert bench.open_order_index.taken == 0
    bench.markets.push_price(SOL_USDC, PushedPrice(Decimal(120), bench.clock.now_ms()))
    bench.clock.sleep(bench.engine.settings.market_tick_seconds)
    assert bench.engine.market.look() == len(orders)
