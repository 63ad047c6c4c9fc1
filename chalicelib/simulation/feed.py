"""Market data with a short cache, so that not every quote reads the market table."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock, RLock
from typing import Protocol

from chalicelib.domain.as_of import ANY_TIME, AsOf
from chalicelib.domain.conditions import LaunchedPool
from chalicelib.domain.tokens import Pair
from chalicelib.ports.market import MarketData, MarketSnapshot

#: The cache is cleared when it holds the data of this many pools.
_MAX_CACHED_POOLS = 1000


class Feed(Protocol):
    def snapshot(self, pair: Pair, as_of: AsOf = ANY_TIME, pool: LaunchedPool | None = None) -> MarketSnapshot:
        """The market data of a pair and pool, with every push up to ``as_of``."""
        ...


@dataclass(slots=True)
class _Read:
    """The last read of a pair and pool: when it began, and for which request."""

    lock: RLock = field(default_factory=RLock)
    at_ms: int = -1
    as_of: AsOf = ANY_TIME
    snapshot: MarketSnapshot = field(default_factory=MarketSnapshot)


class CachedMarketData:
    """``Feed`` of market data, cached for ``cache_ms``. One per process."""

    def __init__(self, source: MarketData, cache_ms: int, now_ms: Callable[[], int]) -> None:
        self._source = source
        self._cache_ms = cache_ms
        self._now_ms = now_ms
        self._reads: dict[tuple[str, LaunchedPool | None], _Read] = {}
        self._lock = Lock()

    def snapshot(self, pair: Pair, as_of: AsOf = ANY_TIME, pool: LaunchedPool | None = None) -> MarketSnapshot:
        """``Feed.snapshot``. A request causes one read at most."""
        last = self._last_read((pair.name, pool))
        # The venues ask for the same pair in parallel; the lock makes one read of that.
        with last.lock:
            now_ms = self._now_ms()
            includes_pushes = last.at_ms > as_of.ms or last.as_of is as_of
            if last.at_ms < 0 or not includes_pushes or now_ms - last.at_ms >= self._cache_ms:
                last.snapshot = self._source.snapshot(pair, pool)
                last.at_ms, last.as_of = now_ms, as_of
            return last.snapshot

    def _last_read(self, subject: tuple[str, LaunchedPool | None]) -> _Read:
        with self._lock:
            if subject not in self._reads and len(self._reads) >= _MAX_CACHED_POOLS:
                self._reads.clear()
            return self._reads.setdefault(subject, _Read())
