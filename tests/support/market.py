"""The simulated market of tests in which nothing was told from adapters."""

from collections.abc import Callable

from chalicelib.simulation.feed import CachedMarketData
from tests.fakes.markets import FakeMarketStore


def a_feed(now_ms: Callable[[], int]) -> CachedMarketData:
    return CachedMarketData(FakeMarketStore(), 1000, now_ms)
