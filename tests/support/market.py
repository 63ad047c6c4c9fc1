"""The simulated market of tests in which nothing was told from outside."""

from collections.abc import Callable

from chalicelib.routing.feed import MarketFeed
from tests.fakes.markets import FakeMarkets


def a_feed(now_ms: Callable[[], int]) -> MarketFeed:
    return MarketFeed(FakeMarkets(), 1000, now_ms)
