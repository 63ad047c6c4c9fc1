"""The simulated market with pushed prices, from which its path continues, and with launches, which open pools."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.as_of import AsOf
from chalicelib.domain.conditions import Launch, LaunchedPool, LaunchWatch
from chalicelib.domain.tokens import BY_SYMBOL, Pair, launched_token
from chalicelib.ports.market import MarketSnapshot, PushedPrice
from chalicelib.simulation.feed import CachedMarketData
from chalicelib.simulation.launches import LaunchSchedule
from chalicelib.simulation.market import PROFILES, SLOT_MS, Reserves, SimulatedMarket
from orderengine.testing.fakes.clock import FakeClock
from orderengine.testing.fakes.markets import FakeMarketStore
from tests.support.oracle import SHAPES
from tests.unit.order_strategies import MINT

SOL, USDC = BY_SYMBOL["SOL"], BY_SYMBOL["USDC"]
SOL_USDC = Pair(base=SOL, quote=USDC)
LAUNCHED = launched_token(MINT)
assert LAUNCHED is not None
NEW = Pair(base=LAUNCHED, quote=SOL)
VENUES = ["raydium", "meteora"]
OPENED = LaunchedPool("raydium", "pool")
#: Reserves are whole base units, which costs a price its last digits.
DUST = Fraction(1, 10**6)

seeds = st.text(min_size=1, max_size=20)
times = st.integers(0, 4 * 10**12)
#: The period after which the reference price of the simulation may turn.
DRIFT_MS = 600_000


def price_of(pair: Pair, pool: Reserves | None) -> Fraction:
    assert pool is not None
    return Fraction(pool.quote, pool.base) * Fraction(10) ** (pair.base.decimals - pair.quote.decimals)


def middle(market: SimulatedMarket, at_ms: int, snapshot: MarketSnapshot) -> Fraction:
    pools = [market.reserves(SHAPES[venue], SOL_USDC, at_ms // SLOT_MS, snapshot) for venue in VENUES]
    return sum((price_of(SOL_USDC, pool) for pool in pools), Fraction(0)) / 2


def launch(at_ms: int, **changes: object) -> Launch:
    pushed = {"venue": "raydium", "price": Decimal("0.0012"), "liquidity": Decimal("812.5"), "quote": "SOL"}
    return Launch(mint=MINT, pool="pool", slot=1, at_ms=at_ms, **{**pushed, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("profile", list(PROFILES))
@given(seeds, times, st.decimals("0.01", 10**6, places=4))
def test_a_pushed_price_is_the_reference_price_from_then_on(
    profile: str, seed: str, at_ms: int, price: Decimal
) -> None:
    market, snapshot = SimulatedMarket(seed, PROFILES[profile]), MarketSnapshot(PushedPrice(price, at_ms))
    assert abs(middle(market, at_ms, snapshot) / Fraction(price) - 1) < DUST
    # A slot later the price has moved on from there without a jump.
    assert abs(middle(market, at_ms + SLOT_MS, snapshot) / Fraction(price) - 1) < Fraction(1, 1_000)


def test_a_tiny_pushed_price_leaves_the_pools_one_base_unit() -> None:
    snapshot = MarketSnapshot(PushedPrice(Decimal("1E-18"), 0))
    pools = [
        SimulatedMarket("seed", PROFILES["realistic"]).reserves(SHAPES[venue], SOL_USDC, 1, snapshot)
        for venue in VENUES
    ]
    assert [pool and pool.quote for pool in pools] == [1, 1]


@given(seeds, times)
def test_pushing_the_current_price_has_no_effect(seed: str, at_ms: int) -> None:
    market = SimulatedMarket(seed, PROFILES["realistic"])
    now = middle(market, at_ms, MarketSnapshot())
    pushed = MarketSnapshot(PushedPrice(Decimal(now.numerator) / Decimal(now.denominator), at_ms))
    for later_ms in (0, SLOT_MS, DRIFT_MS):
        before, after = (middle(market, at_ms + later_ms, snapshot) for snapshot in (MarketSnapshot(), pushed))
        assert abs(before / after - 1) < DUST


@given(seeds, times, st.sampled_from(VENUES))
def test_a_pushed_price_moves_no_other_pair(seed: str, at_ms: int, venue: str) -> None:
    market, other = SimulatedMarket(seed, PROFILES["realistic"]), Pair(base=BY_SYMBOL["JUP"], quote=USDC)
    feed = CachedMarketData(source := FakeMarketStore(), 1000, lambda: at_ms)
    source.push_price(SOL_USDC, PushedPrice(Decimal(7), at_ms))
    slot = at_ms // SLOT_MS
    assert market.reserves(SHAPES[venue], other, slot, feed.snapshot(other)) == market.reserves(
        SHAPES[venue], other, slot
    )


@given(seeds, times, st.decimals("0.0001", 10, places=6), st.decimals(1, 10**6, places=3))
def test_a_pool_opens_with_the_price_and_depth_of_its_launch(
    seed: str, at_ms: int, price: Decimal, liquidity: Decimal
) -> None:
    market = SimulatedMarket(seed, PROFILES["realistic"])
    snapshot = MarketSnapshot(launch=launch(at_ms, price=price, liquidity=liquidity))
    pool = market.reserves(SHAPES["raydium"], NEW, at_ms // SLOT_MS, snapshot, OPENED)
    assert pool is not None
    assert Fraction(pool.quote, 10**9) == Fraction(liquidity)
    # Reserves are whole base units, of which a small pool has few.
    assert abs(price_of(NEW, pool) / Fraction(price) - 1) < DUST + Fraction(2, pool.base)
    assert market.reserves(SHAPES["meteora"], NEW, at_ms // SLOT_MS, snapshot, OPENED) is None
    assert (
        market.reserves(SHAPES["raydium"], NEW, at_ms // SLOT_MS, snapshot, LaunchedPool("raydium", "another"))
        is None
    )


@pytest.mark.parametrize("snapshot", [None, MarketSnapshot(), MarketSnapshot(PushedPrice(Decimal(1), 0))])
def test_a_mint_without_a_launch_has_no_pool_at_any_price(snapshot: MarketSnapshot | None) -> None:
    market = SimulatedMarket("seed", PROFILES["realistic"])
    assert [market.reserves(SHAPES[venue], NEW, 0, snapshot, LaunchedPool(venue, "pool")) for venue in VENUES] == [
        None,
        None,
    ]


def test_a_price_pushed_before_a_launch_is_not_the_price_of_its_pool() -> None:
    market, opened = SimulatedMarket("seed", PROFILES["realistic"]), launch(at_ms := 10**12)
    snapshot = MarketSnapshot(PushedPrice(Decimal(50), at_ms - 1), opened)
    plain = MarketSnapshot(launch=opened)
    assert [market.reserves(SHAPES["raydium"], NEW, at_ms // SLOT_MS, one, OPENED) for one in (snapshot, plain)] == [
        Reserves(base=677_083_333_333, quote=812_500_000_000)
    ] * 2


def test_a_launched_pool_moves_to_a_price_that_is_pushed_later() -> None:
    market, at_ms = SimulatedMarket("seed", PROFILES["realistic"]), 10**12
    pushed_ms = at_ms + DRIFT_MS
    snapshot = MarketSnapshot(PushedPrice(Decimal("0.005"), pushed_ms), launch(at_ms))
    pool = market.reserves(SHAPES["raydium"], NEW, pushed_ms // SLOT_MS, snapshot, OPENED)
    assert abs(price_of(NEW, pool) / Fraction("0.005") - 1) < DUST


# --- the cache --------------------------------------------------------------------------------------------


def test_the_cache_is_refreshed_after_a_push_and_after_its_lifetime() -> None:
    clock, source = FakeClock(), FakeMarketStore()
    feed = CachedMarketData(source, 1000, clock.now_ms)
    assert feed.snapshot(SOL_USDC) == MarketSnapshot()
    clock.sleep(0.5)
    pushed = PushedPrice(Decimal(7), clock.now_ms())
    source.push_price(SOL_USDC, pushed)
    assert feed.snapshot(SOL_USDC) == MarketSnapshot(), "not every quote reads the source"
    assert feed.snapshot(SOL_USDC, AsOf(pushed.at_ms)) == MarketSnapshot(pushed)
    source.push_price(SOL_USDC, PushedPrice(Decimal(8), clock.now_ms()))
    clock.sleep(1)
    assert feed.snapshot(SOL_USDC) == source.snapshot(SOL_USDC) != MarketSnapshot(pushed)


class CountedReads(FakeMarketStore):
    """Counts the reads of each pair. A read waits for ``together``, if that is set."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: Counter[str] = Counter()
        self.together: Barrier | None = None

    def snapshot(self, pair: Pair, pool: LaunchedPool | None = None) -> MarketSnapshot:
        if self.together:
            self.together.wait()
        self.reads[pair.name] += 1
        return super().snapshot(pair, pool)


@pytest.mark.parametrize("ahead_ms", [0, 5_000])
def test_one_request_reads_a_pair_once_whatever_the_clock(ahead_ms: int) -> None:
    """The request may be of this millisecond, or of a process whose clock is ahead of this one's."""
    clock, source = FakeClock(), CountedReads()
    feed, request = CachedMarketData(source, 1000, clock.now_ms), AsOf(clock.now_ms() + ahead_ms)
    for _ in VENUES:
        feed.snapshot(SOL_USDC, request)
    assert source.reads[SOL_USDC.name] == 1


def test_a_request_sees_a_price_that_was_pushed_in_its_millisecond_and_after_another_request() -> None:
    clock, source = FakeClock(), FakeMarketStore()
    feed = CachedMarketData(source, 1000, clock.now_ms)
    assert feed.snapshot(SOL_USDC, AsOf(clock.now_ms())) == MarketSnapshot()
    for price in (7, 8):
        source.push_price(SOL_USDC, PushedPrice(Decimal(price), clock.now_ms()))
        seen = feed.snapshot(SOL_USDC, AsOf(clock.now_ms())).price
        assert seen is not None
        assert seen.price == price


def test_a_read_of_one_pair_does_not_wait_for_another() -> None:
    source, pairs = CountedReads(), (SOL_USDC, Pair(base=BY_SYMBOL["JUP"], quote=USDC))
    source.together = Barrier(2, timeout=10)
    feed = CachedMarketData(source, 1000, FakeClock().now_ms)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(feed.snapshot, pairs))
    assert source.reads == {pair.name: 1 for pair in pairs}


# --- simulated launches ------------------------------------------------------------------------------------


@given(seeds, st.integers(1, 10_000), times)
def test_a_watched_mint_launches_within_the_time_and_equally_in_every_process(
    seed: str, within: int, since_ms: int
) -> None:
    launch_source = LaunchSchedule(seed, within, tuple(VENUES))
    assert launch_source.launch_of(LaunchWatch(MINT), since_ms, since_ms) is None
    due_ms = since_ms + within * 1000
    pushed = launch_source.launch_of(LaunchWatch(MINT), since_ms, due_ms)
    assert pushed is not None
    assert pushed.venue in VENUES
    assert min(pushed.price, pushed.liquidity) > 0
    again = LaunchSchedule(seed, within, tuple(VENUES)).launch_of(LaunchWatch(MINT), since_ms, due_ms + 5_000)
    assert again is not None
    assert again.id == pushed.id, "processes that look at different times see one launch"


def test_no_mint_launches_where_simulated_launches_are_off() -> None:
    assert LaunchSchedule("seed", 0, tuple(VENUES)).launch_of(LaunchWatch(MINT), 0, 10**15) is None
