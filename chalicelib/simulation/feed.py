"""Market data with a short cache: not every quote costs a read of the market table."""

from collections.abc import Callable
from threading import RLock

from chalicelib.domain.tokens import Pair
from chalicelib.ports.market import MarketData, MarketSnapshot

#: Pairs that are remembered; then all are forgotten.
_REMEMBERED = 1000


class CachedMarketData:
    """``MarketData`` remembered for ``cache_ms``, so that not every quote costs a look. Built once per process."""

    def __init__(self, source: MarketData, cache_ms: int, now_ms: Callable[[], int]) -> None:
        self._source = source
        self._cache_ms = cache_ms
        self._now_ms = now_ms
        self._seen: dict[str, tuple[int, MarketSnapshot]] = {}
        self._lock = RLock()

    def known(self, pair: Pair, since_ms: int = 0) -> MarketSnapshot:
        """What is known of a pair, with all that was told by ``since_ms``."""
        # One look at a time: the venues ask for the same, side by side.
        with self._lock:
            now_ms = self._now_ms()
            seen_ms, known = self._seen.get(pair.name, (-1, MarketSnapshot()))
            if seen_ms < 0 or seen_ms <= since_ms or now_ms - seen_ms >= self._cache_ms:
                known = self._source.known(pair)
                if len(self._seen) >= _REMEMBERED:
                    self._seen.clear()
                self._seen[pair.name] = now_ms, known
            return known
