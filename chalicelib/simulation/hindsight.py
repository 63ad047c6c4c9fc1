"""The simulated market as it was: the function of the live quotes, of an earlier moment and the prices of then."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.as_of import ANY_TIME, AsOf
from chalicelib.domain.conditions import Launch, LaunchedPool
from chalicelib.domain.depth import Depth
from chalicelib.domain.failures import AttemptFailedError
from chalicelib.domain.tokens import Pair
from chalicelib.ports.hindsight import PastVenue
from chalicelib.ports.market import MarketHistory, MarketSnapshot, PastMarketData
from chalicelib.simulation.context import SimulationContext
from chalicelib.simulation.market import SLOT_MS
from chalicelib.simulation.venue import SimulatedVenue
from chalicelib.simulation.venues import simulated_venues


@dataclass(frozen=True, slots=True)
class _Known:
    """The ``Feed`` of a moment: the market data that a venue had then."""

    known: MarketSnapshot

    def snapshot(self, pair: Pair, as_of: AsOf = ANY_TIME, pool: LaunchedPool | None = None) -> MarketSnapshot:
        return self.known


@dataclass(frozen=True, slots=True)
class SimulatedHindsight:
    """``Hindsight`` of the simulated market that ``context`` describes."""

    context: SimulationContext
    source: PastMarketData

    def market(
        self, pair: Pair, since: datetime, until: datetime, pool: LaunchedPool | None = None
    ) -> "SimulatedPast":
        since_ms = to_ms(since)
        history = self.source.history(pair, since_ms, to_ms(until), pool)
        return SimulatedPast(self.context, pair, pool, history, since_ms)


@dataclass(frozen=True, slots=True)
class SimulatedPast:
    """``PastMarket`` of a pair and pool."""

    context: SimulationContext
    pair: Pair
    pool: LaunchedPool | None
    history: MarketHistory
    since_ms: int

    @property
    def tick_ms(self) -> int:
        return SLOT_MS

    @property
    def price_moments(self) -> list[int]:
        return [price.at_ms for price in self.history.prices]

    @property
    def is_exact(self) -> bool:
        return self.history.complete_since_ms <= self.since_ms

    def depths(self, at_ms: int) -> list[Depth]:
        depths = (self.depth(name, at_ms) for name in self._venues(self.context))
        return [depth for depth in depths if depth]

    def depth(self, venue: str, at_ms: int, known_ms: int | None = None) -> Depth | None:
        found = self._venues(self.context).get(venue)
        try:
            known = self._known(at_ms if known_ms is None else known_ms, at_ms)
            return found.depth_at(at_ms, self.pair, known, self.pool) if found else None
        except AttemptFailedError:
            return None

    def venues(self, at_ms: int, price_at_ms: int | None, launch_slot: int | None) -> Mapping[str, PastVenue] | None:
        price = next((one for one in self.history.prices if one.at_ms == price_at_ms), None)
        launch = next((one for one in self.history.launches if one.slot == launch_slot), None)
        if (price_at_ms, launch_slot) != (price and price.at_ms, launch and launch.slot):
            return None
        feed = _Known(MarketSnapshot(price, launch))
        return self._venues(replace(self.context, feed=feed, now_ms=lambda: at_ms, sleep=lambda _: None))

    def _known(self, price_ms: int, launch_ms: int) -> MarketSnapshot:
        """The market data with every price and launch up to these moments."""
        prices = self.history.prices
        count = bisect_right(prices, price_ms, key=lambda price: price.at_ms)
        launches = [one for one in self.history.launches if one.at_ms <= launch_ms]
        return MarketSnapshot(prices[count - 1] if count else None, _last_for_quote(launches))

    def _venues(self, context: SimulationContext) -> Mapping[str, SimulatedVenue]:
        venues, pool = simulated_venues(context), self.pool
        return {name: venue for name, venue in venues.items() if not pool or name == pool.venue}


def _last_for_quote(launches: list[Launch]) -> Launch | None:
    """The last launch. A launch against the pair's own quote token replaces one against any."""
    return max(launches, key=lambda launch: (launch.quote is not None, launch.at_ms), default=None)
