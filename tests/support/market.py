"""Market data for simulated venues, without any pushed price or launch."""

from collections.abc import Callable

from chalicelib.simulation.feed import CachedMarketData
from orderengine.testing.fakes.markets import FakeMarketStore


def a_feed(now_ms: Callable[[], int]) -> CachedMarketData:
    return CachedMarketData(FakeMarketStore(), 1000, now_ms)
