"""What the simulated market was told from outside: prices that were pushed, and pools that were opened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from threading import RLock
from typing import Protocol

from chalicelib.domain.terms import Launch, LaunchedPool
from chalicelib.domain.tokens import Pair

#: Pairs that are remembered; then all are forgotten.
_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class PushedPrice:
    """A reference price, quote per base, and when it was told."""

    price: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True)
class Known:
    """What was told of one pair. ``pools`` are the opened ones; the registry's pairs need none."""

    price: PushedPrice | None = None
    pools: Mapping[LaunchedPool, Launch] = field(default_factory=dict)


class MarketData(Protocol):
    """Where it is kept."""

    def known(self, pair: Pair) -> Known: ...


class MarketFeed:
    """``MarketData`` remembered for ``cache_ms``, so that not every quote costs a look. Built once per process."""

    def __init__(self, source: MarketData, cache_ms: int, now_ms: Callable[[], int]) -> None:
        self._source = source
        self._cache_ms = cache_ms
        self._now_ms = now_ms
        self._seen: dict[str, tuple[int, Known]] = {}
        self._lock = RLock()

    def known(self, pair: Pair, since_ms: int = 0) -> Known:
        """What is known of a pair, with all that was told by ``since_ms``."""
        # One look at a time: the venues ask for the same, side by side.
        with self._lock:
            now_ms = self._now_ms()
            seen_ms, known = self._seen.get(pair.name, (-1, Known()))
            if seen_ms < 0 or seen_ms <= since_ms or now_ms - seen_ms >= self._cache_ms:
                known = self._source.known(pair)
                if len(self._seen) >= _REMEMBERED:
                    self._seen.clear()
                self._seen[pair.name] = now_ms, known
            return known
