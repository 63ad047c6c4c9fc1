"""An oracle for limit orders: it computes with fractions, from the formulas, whether the market fills an order.

The oracle reads the reserves of the simulated market. It shares no code with the engine's triggers, routes and
prices.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor

from chalicelib.domain.tokens import Pair, Side
from chalicelib.ports.market import MarketSnapshot, PushedPrice
from chalicelib.simulation.market import PROFILES, SLOT_MS, PoolShape, SimulatedMarket

#: Fees by profile and venue: a fraction of the input, and its increase with the trade's share of the pool.
_FEES = {
    "realistic": {
        "raydium": (Fraction(25, 10_000), Fraction(0)),
        "meteora": (Fraction(20, 10_000), Fraction(2, 100)),
    },
    "flat": {"raydium": (Fraction(25, 10_000), Fraction(0)), "meteora": (Fraction(20, 10_000), Fraction(2, 100))},
    "brief": {"raydium": (Fraction(30, 10_000), Fraction(0)), "meteora": (Fraction(20, 10_000), Fraction(0))},
}
SHAPES = {"raydium": PoolShape("raydium", 0), "meteora": PoolShape("meteora", 1, (600_000, 1_400_000))}
_MAX_IMPACT = Fraction(10, 100)
#: The engine rounds impact to four decimal places of a percent. Closer to the maximum, both verdicts are right.
_IMPACT_ROUNDING = Fraction(1, 1_000_000)


class Verdict(StrEnum):
    """The outcome for an order. ``EITHER``: rounding decides, and both outcomes are correct."""

    FILLS = "fills"
    MISSES = "misses"
    EITHER = "either"


@dataclass
class OpenLimitOrder:
    """An open limit order from the client's point of view."""

    pair: Pair
    side: Side
    amount_in: int
    limit: Decimal
    expires_at: datetime | None

    @property
    def min_output(self) -> int:
        """The minimum output in base units: buy ``floor(amountIn / limit)``, sell ``floor(amountIn * limit)``."""
        base, quote = 10**self.pair.base.decimals, 10**self.pair.quote.decimals
        if self.side is Side.SELL:
            return int(Fraction(self.amount_in, base) * Fraction(self.limit) * quote)
        return int(Fraction(self.amount_in, quote) / Fraction(self.limit) * base)

    def accepts(self, amount_out: int) -> bool:
        """Return whether the unrounded net price of this output is at the limit or better."""
        base, quote = 10**self.pair.base.decimals, 10**self.pair.quote.decimals
        if self.side is Side.SELL:
            return Fraction(amount_out, quote) >= Fraction(self.amount_in, base) * Fraction(self.limit)
        return Fraction(amount_out, base) * Fraction(self.limit) >= Fraction(self.amount_in, quote)


@dataclass(frozen=True)
class Offer:
    amount_out: int
    tradable: Verdict


class Oracle:
    """Judges orders on the simulated market.

    ``snapshot_of`` returns the market snapshot of a pair; without it, only prices from ``push`` move the market.
    """

    def __init__(self, seed: str, profile: str, snapshot_of: Callable[[Pair], MarketSnapshot] | None = None) -> None:
        self._market = SimulatedMarket(seed, PROFILES[profile])
        self._fees = _FEES[profile]
        self._pushed: dict[str, PushedPrice] = {}
        self._snapshot_of = snapshot_of or (lambda pair: MarketSnapshot(self._pushed.get(pair.name)))

    def push(self, pair: Pair, price: Decimal, at_ms: int) -> None:
        self._pushed[pair.name] = PushedPrice(price, at_ms)

    def offers(self, order: OpenLimitOrder, now_ms: int) -> Mapping[str, Offer]:
        """The output of the whole order at each venue at ``now_ms``."""
        return {venue: self._offer(venue, order, now_ms) for venue in self._fees}

    def verdict(self, order: OpenLimitOrder, now_ms: int) -> Verdict:
        """Return whether the market at ``now_ms`` fills the whole order at its limit or better."""
        offers = self.offers(order, now_ms).values()
        if any(one.tradable is Verdict.FILLS and order.accepts(one.amount_out) for one in offers):
            return Verdict.FILLS
        if any(one.tradable is not Verdict.MISSES and one.amount_out >= order.min_output for one in offers):
            return Verdict.EITHER
        return Verdict.MISSES

    def _offer(self, venue: str, order: OpenLimitOrder, now_ms: int) -> Offer:
        reserves = self._market.reserves(SHAPES[venue], order.pair, now_ms // SLOT_MS, self._snapshot_of(order.pair))
        assert reserves is not None
        x, y = (reserves.base, reserves.quote) if order.side is Side.SELL else (reserves.quote, reserves.base)
        rate, by_impact = self._fees[venue]
        fee = ceil(order.amount_in * (rate + by_impact * Fraction(order.amount_in, x + order.amount_in)))
        net = order.amount_in - fee
        impact = Fraction(net, x + net)
        out = floor(Fraction(net * y, x + net))
        if out <= 0 or impact > _MAX_IMPACT + _IMPACT_ROUNDING:
            return Offer(out, Verdict.MISSES)
        return Offer(out, Verdict.EITHER if impact > _MAX_IMPACT else Verdict.FILLS)
