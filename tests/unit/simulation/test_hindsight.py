"""The market as it was: what a venue computed at a moment, computed later from the history of prices and launches."""

from decimal import Decimal
from random import Random

import pytest

from chalicelib.codec.times import from_ms
from chalicelib.domain.conditions import LaunchedPool
from chalicelib.domain.depth import Depth
from chalicelib.domain.tokens import BY_SYMBOL, Pair, launched_token
from chalicelib.ports.hindsight import PastMarket
from chalicelib.ports.market import PushedPrice
from chalicelib.simulation.market import SLOT_MS
from tests.support.open_orders import MINT, SOL_USDC, a_launch
from tests.support.workbench import Workbench, a_workbench

POOL = LaunchedPool("raydium", "pool")
LAUNCHED = launched_token(MINT)
assert LAUNCHED is not None
NEW_SOL = Pair(base=LAUNCHED, quote=BY_SYMBOL["SOL"])


@pytest.fixture
def bench() -> Workbench:
    """A bench without a cache: every depth is of the moment's own price."""
    return a_workbench(market_cache_seconds=Decimal(0))


def push(bench: Workbench, price: int) -> None:
    bench.markets.push_price(SOL_USDC, PushedPrice(Decimal(price), bench.clock.now_ms()))


def past(bench: Workbench, since_ms: int, pair: Pair = SOL_USDC, pool: LaunchedPool | None = None) -> PastMarket:
    return bench.engine.explain.hindsight.market(pair, from_ms(since_ms), bench.clock.now(), pool)


@pytest.mark.parametrize("seed", range(5))
def test_every_moment_has_the_depths_that_the_venues_had(seed: int) -> None:
    random = Random(seed)
    bench = a_workbench(market_cache_seconds=Decimal(0), venue_seed=f"past-{seed}")
    start_ms, seen = bench.clock.now_ms(), dict[int, list[Depth]]()
    for _ in range(40):
        if random.random() < 0.4:
            push(bench, random.randint(50, 200))
        seen[bench.clock.now_ms()] = bench.engine.queries.router.depths(SOL_USDC)
        bench.clock.sleep(random.choice([0.001, 0.399, 0.4, 7, 3700]))
    market = past(bench, start_ms)
    assert market.is_exact
    for at_ms, depths in seen.items():
        assert market.depths(at_ms) == depths
        assert [market.depth(depth.venue, at_ms) for depth in depths] == depths


def test_the_depth_stays_the_same_within_a_tick(bench: Workbench) -> None:
    market, tick = past(bench, 0), bench.clock.now_ms() // SLOT_MS * SLOT_MS
    assert market.tick_ms == SLOT_MS
    assert market.depths(tick) == market.depths(tick + SLOT_MS - 1)
    assert market.depths(tick) != market.depths(tick + 100 * SLOT_MS)


def test_a_venue_may_have_known_an_earlier_price(bench: Workbench) -> None:
    push(bench, 100)
    first_ms = bench.clock.now_ms()
    bench.clock.sleep(1)
    push(bench, 150)
    market, now_ms = past(bench, first_ms), bench.clock.now_ms()
    before, after = market.depth("raydium", now_ms, first_ms), market.depth("raydium", now_ms)
    assert before is not None
    assert after is not None
    assert after.quote > before.quote
    assert market.depth("raydium", now_ms, first_ms - 1) == past(a_workbench(), 0).depth("raydium", now_ms)


def test_a_launched_pool_has_the_depth_of_its_last_launch_by_then(bench: Workbench) -> None:
    launches = [a_launch(bench), a_launch(bench, slot=2, liquidity=Decimal(9))]
    moments = []
    for launch in launches:
        bench.clock.sleep(5)
        bench.markets.announce(a_launch(bench, slot=launch.slot, liquidity=launch.liquidity))
        moments.append((bench.clock.now_ms(), bench.engine.queries.router.depths(NEW_SOL, pool=POOL)))
    market = past(bench, moments[0][0], NEW_SOL, POOL)
    assert [market.depths(at_ms) for at_ms, _ in moments] == [depths for _, depths in moments]
    assert market.depths(moments[0][0] - 1) == []
    assert market.depth("meteora", moments[0][0]) is None


def test_an_unknown_venue_or_pool_has_no_depth(bench: Workbench) -> None:
    assert past(bench, 0).depth("nowhere", bench.clock.now_ms()) is None
    assert past(bench, 0, NEW_SOL, LaunchedPool("nowhere", "pool")).depths(bench.clock.now_ms()) == []


def test_a_period_of_which_a_price_is_missing_is_an_estimate(bench: Workbench) -> None:
    start_ms = bench.clock.now_ms()
    for price in (100, 101, 102):
        push(bench, price)
        bench.clock.sleep(10)
    assert past(bench, start_ms - 1).is_exact
    del bench.markets._replaced["SOL/USDC"][1]
    assert not past(bench, start_ms).is_exact
    assert past(bench, start_ms + 10_000).is_exact


def test_the_venues_of_a_price_or_launch_that_is_not_kept_are_unknown(bench: Workbench) -> None:
    push(bench, 100)
    bench.markets.announce(a_launch(bench))
    now_ms = bench.clock.now_ms()
    market, launched = past(bench, now_ms), past(bench, now_ms, NEW_SOL, POOL)
    assert set(market.venues(now_ms, now_ms, None) or ()) == {"raydium", "meteora"}
    assert set(launched.venues(now_ms, None, 1) or ()) == {"raydium"}
    assert market.venues(now_ms, now_ms - 1, None) is None
    assert launched.venues(now_ms, None, 2) is None
