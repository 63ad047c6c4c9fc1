"""The market table in memory."""

from collections import defaultdict
from threading import Lock

from chalicelib.codec.watches import watch_to_key
from chalicelib.domain.conditions import Launch, LaunchedPool, Watch
from chalicelib.domain.tokens import Pair
from chalicelib.ports.market import (
    MAX_PAST_PRICES,
    MarketHistory,
    MarketSnapshot,
    PushedPrice,
    ReplacedPrice,
    WatchEntry,
)


class FakeMarketStore:
    """``MarketStore`` in memory."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._prices: dict[str, PushedPrice] = {}
        self._replaced: defaultdict[str, list[ReplacedPrice]] = defaultdict(list)
        self._launches: dict[str, Launch] = {}
        self._pools: dict[tuple[str, LaunchedPool, str | None], Launch] = {}
        self._pending: dict[str, Launch] = {}
        self._watched: dict[Watch, tuple[int, int]] = {}

    def snapshot(self, pair: Pair, pool: LaunchedPool | None = None) -> MarketSnapshot:
        of_any, of_quote = (
            self._pools.get((pair.base.mint, pool, quote)) if pool else None for quote in (None, pair.quote.symbol)
        )
        return MarketSnapshot(self._prices.get(pair.name), of_quote or of_any)

    def push_price(self, pair: Pair, price: PushedPrice) -> None:
        with self._lock:
            before = self._prices.get(pair.name)
            if following := price.following(before):
                self._replaced[pair.name].append(ReplacedPrice(before, following.at_ms))
                self._prices[pair.name] = following

    @property
    def price_count(self) -> int:
        """How many prices of all pairs the market has taken."""
        with self._lock:
            return sum(map(len, self._replaced.values()))

    def history(self, pair: Pair, since_ms: int, until_ms: int, pool: LaunchedPool | None = None) -> MarketHistory:
        with self._lock:
            replaced = [one for one in self._replaced[pair.name] if one.replaced_at_ms > since_ms]
            later = [one for one in replaced if one.replaced_at_ms > until_ms]
            within = [one for one in reversed(replaced) if one.replaced_at_ms <= until_ms][:MAX_PAST_PRICES]
            launches = [
                launch
                for launch in self._launches.values()
                if launch.mint == pair.base.mint
                and launch.opened == pool
                and launch.quote in (None, pair.quote.symbol)
            ]
            return MarketHistory.of(later[0] if later else self._prices.get(pair.name), within, launches)

    def announce(self, launch: Launch) -> bool:
        with self._lock:
            if launch.id in self._launches:
                return False
            self._launches[launch.id] = self._pending[launch.id] = launch
            self._pools[launch.mint, launch.opened, launch.quote] = launch
            return True

    def pending_launches(self) -> list[Launch]:
        return [launch for _, launch in sorted(self._pending.items())]

    def finish_launch(self, launch: Launch) -> None:
        self._pending.pop(launch.id, None)

    def is_live(self, mint: str) -> bool:
        return any(of == mint for of, _, _ in self._pools)

    def watch(self, watch: Watch, now_ms: int, until_ms: int) -> None:
        with self._lock:
            since_ms, before_ms = self._watched.get(watch, (now_ms, 0))
            if before_ms < until_ms:
                self._watched[watch] = since_ms, until_ms

    def watch_entries(self, now_ms: int) -> list[WatchEntry]:
        with self._lock:
            self._watched = {watch: times for watch, times in self._watched.items() if times[1] >= now_ms}
            return [
                WatchEntry(watch, since_ms)
                for watch, (since_ms, _) in sorted(self._watched.items(), key=lambda entry: watch_to_key(entry[0]))
            ]

    def unwatch(self, watch: Watch) -> None:
        self._watched.pop(watch, None)
