"""The market as the engine knows it: pushed prices, launches, and the conditions that open orders wait for."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from chalicelib.domain.conditions import Launch, LaunchedPool, LaunchWatch, Watch
from chalicelib.domain.tokens import Pair


@dataclass(frozen=True, slots=True)
class PushedPrice:
    """A reference price in quote per base, and when a feed pushed it."""

    price: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True)
class MarketSnapshot:
    """The pushed price of a pair, and the launch of one of its pools. The registry's pairs have pools without one."""

    price: PushedPrice | None = None
    launch: Launch | None = None


@dataclass(frozen=True, slots=True)
class WatchEntry:
    """A condition that open orders wait for, and since when."""

    watch: Watch
    since_ms: int


class MarketData(Protocol):
    def snapshot(self, pair: Pair, pool: LaunchedPool | None = None) -> MarketSnapshot:
        """The pushed price of a pair, and the last launch of the pool. Other pools of the mint cost nothing."""
        ...


class MarketStore(MarketData, Protocol):
    """The market table: pushed prices, launches and the watch list."""

    def push_price(self, pair: Pair, price: PushedPrice) -> None:
        """Store a price, unless a later one is stored already."""
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
