"""What a price does to limit orders, worked out the long way: every order looked at, in fractions, from the formulas.

Only the reserves are the simulated market's own; nothing of what triggers, routes or prices an order is used here.
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
from chalicelib.simulation.market import PROFILES, SLOT_MS, Market

#: Profile and venue: the fee of the input, and what the share of the pool that is taken adds to it.
_FEES = {
    "realistic": {
        "raydium": (Fraction(25, 10_000), Fraction(0)),
        "meteora": (Fraction(20, 10_000), Fraction(2, 100)),
    },
    "flat": {"raydium": (Fraction(25, 10_000), Fraction(0)), "meteora": (Fraction(20, 10_000), Fraction(2, 100))},
    "brief": {"raydium": (Fraction(30, 10_000), Fraction(0)), "meteora": (Fraction(20, 10_000), Fraction(0))},
}
_MOST_IMPACT = Fraction(10, 100)
#: Impact is known to four decimal places of a percent; closer to the most that is taken it may go either way.
_IMPACT_ROUNDING = Fraction(1, 1_000_000)


class Verdict(StrEnum):
    """``EITHER``: only rounding decides, and both answers keep every promise."""

    FILLS = "fills"
    MISSES = "misses"
    EITHER = "either"


@dataclass
class Resting:
    """A limit order as its client knows it."""

    pair: Pair
    side: Side
    amount_in: int
    limit: Decimal
    expires_at: datetime | None

    @property
    def least(self) -> int:
        """Buy ``floor(amountIn / limit)``, sell ``floor(amountIn * limit)``, in base units."""
        base, quote = 10**self.pair.base.decimals, 10**self.pair.quote.decimals
        if self.side is Side.SELL:
            return floor(Fraction(self.amount_in, base) * Fraction(self.limit) * quote)
        return floor(Fraction(self.amount_in, quote) / Fraction(self.limit) * base)

    def accepts(self, amount_out: int) -> bool:
        """Whether the net price of such an output, unrounded, is at the limit or better."""
        base, quote = 10**self.pair.base.decimals, 10**self.pair.quote.decimals
        if self.side is Side.SELL:
            return Fraction(amount_out, quote) >= Fraction(self.amount_in, base) * Fraction(self.limit)
        return Fraction(amount_out, base) * Fraction(self.limit) >= Fraction(self.amount_in, quote)


@dataclass(frozen=True)
class Offer:
    amount_out: int
    tradable: Verdict


class Oracle:
    """``told`` is what was told of a pair; without it only what was pushed here counts."""

    def __init__(self, seed: str, profile: str, told: Callable[[Pair], MarketSnapshot] | None = None) -> None:
        self._market = Market(seed, PROFILES[profile])
        self._fees = _FEES[profile]
        self._pushed: dict[str, PushedPrice] = {}
        self._told = told or (lambda pair: MarketSnapshot(self._pushed.get(pair.name)))

    def push(self, pair: Pair, price: Decimal, at_ms: int) -> None:
        self._pushed[pair.name] = PushedPrice(price, at_ms)

    def offers(self, order: Resting, now_ms: int) -> Mapping[str, Offer]:
        """What each venue would give now."""
        return {venue: self._offer(venue, order, now_ms) for venue in self._fees}

    def verdict(self, order: Resting, now_ms: int) -> Verdict:
        """Whether the whole order could be filled now at its price."""
        offers = self.offers(order, now_ms).values()
        if any(one.tradable is Verdict.FILLS and order.accepts(one.amount_out) for one in offers):
            return Verdict.FILLS
        if any(one.tradable is not Verdict.MISSES and one.amount_out >= order.least for one in offers):
            return Verdict.EITHER
        return Verdict.MISSES

    def _offer(self, venue: str, order: Resting, now_ms: int) -> Offer:
        reserves = self._market.reserves(venue, order.pair, now_ms // SLOT_MS, self._told(order.pair))
        assert reserves is not None
        x, y = (reserves.base, reserves.quote) if order.side is Side.SELL else (reserves.quote, reserves.base)
        rate, by_impact = self._fees[venue]
        fee = ceil(order.amount_in * (rate + by_impact * Fraction(order.amount_in, x + order.amount_in)))
        net = order.amount_in - fee
        impact = Fraction(net, x + net)
        out = floor(Fraction(net * y, x + net))
        if out <= 0 or impact > _MOST_IMPACT + _IMPACT_ROUNDING:
            return Offer(out, Verdict.MISSES)
        return Offer(out, Verdict.EITHER if impact > _MOST_IMPACT else Verdict.FILLS)
