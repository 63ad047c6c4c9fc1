"""What was told of the market, in memory."""

from threading import Lock

from chalicelib.domain.conditions import Launch, LaunchedPool
from chalicelib.domain.tokens import Pair
from chalicelib.ports.market import MarketSnapshot, PushedPrice, WatchEntry


class FakeMarketStore:
    """``MarketStore`` in memory."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._prices: dict[str, PushedPrice] = {}
        self._launches: dict[str, Launch] = {}
        self._pools: dict[tuple[str, LaunchedPool, str | None], Launch] = {}
        self._releasing: dict[str, Launch] = {}
        self._watched: dict[str, tuple[int, int]] = {}

    def known(self, pair: Pair) -> MarketSnapshot:
        pools = {
            opened: launch
            for quote in (None, pair.quote.symbol)
            for (mint, opened, of), launch in self._pools.items()
            if (mint, of) == (pair.base.mint, quote)
        }
        return MarketSnapshot(self._prices.get(pair.name), pools)

    def push_price(self, pair: Pair, price: PushedPrice) -> None:
        with self._lock:
            before = self._prices.get(pair.name)
            if before is None or before.at_ms <= price.at_ms:
                self._prices[pair.name] = price

    def announce(self, launch: Launch) -> bool:
        with self._lock:
            if launch.id in self._launches:
                return False
            self._launches[launch.id] = self._releasing[launch.id] = launch
            self._pools[launch.mint, launch.opened, launch.quote] = launch
            return True

    def unfinished(self) -> list[Launch]:
        return [launch for _, launch in sorted(self._releasing.items())]

    def finish(self, launch: Launch) -> None:
        self._releasing.pop(launch.id, None)

    def is_live(self, mint: str) -> bool:
        return any(of == mint for of, _, _ in self._pools)

    def watch(self, key: str, now_ms: int, until_ms: int) -> None:
        with self._lock:
            since_ms, before_ms = self._watched.get(key, (now_ms, 0))
            if before_ms < until_ms:
                self._watched[key] = since_ms, until_ms

    def watched(self, now_ms: int) -> list[WatchEntry]:
        with self._lock:
            self._watched = {key: times for key, times in self._watched.items() if times[1] >= now_ms}
            return [WatchEntry(key, since_ms) for key, (since_ms, _) in sorted(self._watched.items())]

    def unwatch(self, key: str) -> None:
        self._watched.pop(key, None)
