"""What the engine knows of the market, and what open orders wait for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from chalicelib.domain.conditions import Launch, LaunchedPool
from chalicelib.domain.tokens import Pair


@dataclass(frozen=True, slots=True)
class PushedPrice:
    """A reference price, quote per base, and when it was told."""

    price: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True)
class MarketSnapshot:
    """What was told of one pair. ``pools`` are the opened ones; the registry's pairs need none."""

    price: PushedPrice | None = None
    pools: Mapping[LaunchedPool, Launch] = field(default_factory=dict)


class MarketData(Protocol):
    """Where it is kept."""

    def known(self, pair: Pair) -> MarketSnapshot: ...


@dataclass(frozen=True, slots=True)
class WatchEntry:
    """Something that open orders wait for: a pair and side, or a launch, and since when."""

    key: str
    since_ms: int


class MarketStore(MarketData, Protocol):
    """What the engine was told of the market, and which part of it somebody waits for."""

    def push_price(self, pair: Pair, price: PushedPrice) -> None: ...

    def announce(self, launch: Launch) -> bool:
        """Open the pool, and note that the launch is to be worked through; False if it was announced before."""
        ...

    def unfinished(self) -> list[Launch]:
        """Launches that are still to be worked through."""
        ...

    def finish(self, launch: Launch) -> None: ...

    def is_live(self, mint: str) -> bool:
        """Whether a pool of this mint was opened."""
        ...

    def watch(self, key: str, now_ms: int, until_ms: int) -> None:
        """Have this looked at with every tick, until then at least."""
        ...

    def watched(self, now_ms: int) -> list[WatchEntry]:
        """All that is to be looked at now."""
        ...

    def unwatch(self, key: str) -> None: ...
