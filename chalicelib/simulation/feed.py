"""Market data with a short cache, so that not every quote reads the market table."""

from collections.abc import Callable
from threading import RLock

from chalicelib.domain.tokens import Pair
from chalicelib.ports.market import MarketData, MarketSnapshot

#: The cache is cleared when it holds this many pairs.
_MAX_CACHED_PAIRS = 1000


class CachedMarketData:
    """``MarketData`` cached for ``cache_ms``. One per process."""

    def __init__(self, source: MarketData, cache_ms: int, now_ms: Callable[[], int]) -> None:
        self._source = source
        self._cache_ms = cache_ms
        self._now_ms = now_ms
        self._cache: dict[str, tuple[int, MarketSnapshot]] = {}
        self._lock = RLock()

    def snapshot(self, pair: Pair, as_of_ms: int = 0) -> MarketSnapshot:
        """The market data of a pair, including every push up to ``as_of_ms``."""
        # The venues ask for the same pair in parallel; the lock makes one read of that.
        with self._lock:
            now_ms = self._now_ms()
            read_ms, snapshot = self._cache.get(pair.name, (-1, MarketSnapshot()))
            if read_ms < 0 or read_ms <= as_of_ms or now_ms - read_ms >= self._cache_ms:
                snapshot = self._source.snapshot(pair)
                if len(self._cache) >= _MAX_CACHED_PAIRS:
                    self._cache.clear()
                self._cache[pair.name] = now_ms, snapshot
            return snapshot
