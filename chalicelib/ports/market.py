"""The market as the engine knows it: pushed prices, launches, and the conditions that open orders wait for."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, Self

from chalicelib.domain.conditions import Launch, LaunchedPool, LaunchWatch, Watch
from chalicelib.domain.tokens import Pair

#: How long a price is kept after another replaced it. An order is open no longer than that.
PRICE_HISTORY_DAYS = 30
#: Of one history. An explanation reads three at most that are longer than a moment.
MAX_PAST_PRICES = 500


@dataclass(frozen=True, slots=True)
class PushedPrice:
    """A reference price in quote per base, and when a feed pushed it.

    ``at_ms`` identifies the price among those of its pair. It is later than ``pushed_ms`` if other prices were pushed
    in the same millisecond.
    """

    price: Decimal
    at_ms: int
    pushed_ms: int | None = None

    def following(self, before: "PushedPrice | None") -> "PushedPrice | None":
        """This price as it replaces another; ``None`` if a feed pushed that one later."""
        if before is None or before.at_ms < self.at_ms:
            return self
        is_late = (before.at_ms if before.pushed_ms is None else before.pushed_ms) > self.at_ms
        return None if is_late else PushedPrice(self.price, before.at_ms + 1, self.at_ms)


@dataclass(frozen=True, slots=True)
class MarketSnapshot:
    """The pushed price of a pair, and the launch of one of its pools. The registry's pairs have pools without one."""

    price: PushedPrice | None = None
    launch: Launch | None = None

    @property
    def price_at_ms(self) -> int | None:
        return self.price.at_ms if self.price else None

    @property
    def launch_slot(self) -> int | None:
        return self.launch.slot if self.launch else None


@dataclass(frozen=True, slots=True)
class ReplacedPrice:
    """A price that a push replaced at ``replaced_at_ms``; ``None`` for the first push of a pair."""

    price: PushedPrice | None
    replaced_at_ms: int


@dataclass(frozen=True, slots=True)
class MarketHistory:
    """The market data of a period: the prices that applied in it, and the launches of the pool, both by time.

    ``complete_since_ms``: from then on to the end of the period, no price is missing. The history may lack one from
    before.
    """

    prices: tuple[PushedPrice, ...]
    launches: tuple[Launch, ...]
    complete_since_ms: int

    @classmethod
    def of(
        cls, last: ReplacedPrice | PushedPrice | None, replaced: Iterable[ReplacedPrice], launches: Iterable[Launch]
    ) -> Self:
        """``last`` applied at the end of the period, ``replaced`` before it, the latest first.

        A price is missing where one does not end when the next begins.
        """
        latest = last.price if isinstance(last, ReplacedPrice) else last
        prices, since_ms = [latest] if latest else [], latest.at_ms if latest else 0
        is_complete = True
        for one in replaced:
            is_complete = is_complete and one.replaced_at_ms == since_ms
            if is_complete:
                since_ms = one.price.at_ms if one.price else 0
            if one.price:
                prices.append(one.price)
        by_time = sorted(launches, key=lambda launch: launch.at_ms)
        return cls(tuple(reversed(prices)), tuple(by_time), since_ms)


@dataclass(frozen=True, slots=True)
class WatchEntry:
    """A condition that open orders wait for, and since when."""

    watch: Watch
    since_ms: int


class MarketData(Protocol):
    def snapshot(self, pair: Pair, pool: LaunchedPool | None = None) -> MarketSnapshot:
        """The pushed price of a pair, and the last launch of the pool. Other pools of the mint cost nothing."""
        ...


class PastMarketData(Protocol):
    def history(self, pair: Pair, since_ms: int, until_ms: int, pool: LaunchedPool | None = None) -> MarketHistory:
        """The market data of a pair between two moments, and every launch of the pool.

        A replaced price is kept for ``PRICE_HISTORY_DAYS``. Of a period with many prices, the history has the last
        ``MAX_PAST_PRICES``.
        """
        ...


class MarketStore(MarketData, PastMarketData, Protocol):
    """The market table: pushed prices, launches and the watch list."""

    def push_price(self, pair: Pair, price: PushedPrice) -> None:
        """Store a price, unless a later one is stored already, and keep the price that it replaces."""
        ...

    def announce(self, launch: Launch) -> bool:
        """Store the pool and a pending launch; False if the launch was announced before."""
        ...

    def pending_launches(self) -> list[Launch]:
        """Launches whose orders have not all been answered yet."""
        ...

    def finish_launch(self, launch: Launch) -> None:
        """Remove a launch from the pending ones."""
        ...

    def is_live(self, mint: str) -> bool:
        """True if the mint has a pool."""
        ...

    def watch(self, watch: Watch, now_ms: int, until_ms: int) -> None:
        """Put a condition on the watch list, at least until then."""
        ...

    def watch_entries(self, now_ms: int) -> list[WatchEntry]:
        """The watch list. Entries whose time has passed are removed."""
        ...

    def unwatch(self, watch: Watch) -> None:
        """Remove a condition from the watch list."""
        ...


class LaunchSource(Protocol):
    """A market that launches pools by itself, so that the watcher has to ask for them."""

    def launch_of(self, watch: LaunchWatch, since_ms: int, now_ms: int) -> Launch | None:
        """The launch of a mint that orders have waited for since then; ``None`` if it has not happened yet."""
        ...
