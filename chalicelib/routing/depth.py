"""A venue's pool at one moment: enough to say what any amount would bring, without asking the venue again."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from chalicelib.domain.money import to_human_units
from chalicelib.domain.tokens import Pair, Side
from chalicelib.routing.pool import FEE_DENOMINATOR, Pool, SwapResult

#: A trade that takes more of the pool than this, in percent, is refused.
MAX_IMPACT_PCT = 10
_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Depth:
    """Reserves in base units of the pair's two tokens; fees as in ``Pool.swap``."""

    venue: str
    pair: Pair
    base: int
    quote: int
    fee_rate: int
    impact_fee_rate: int

    def swap(self, side: Side, amount_in: int) -> SwapResult:
        """What ``amount_in`` brings."""
        if side is Side.BUY:
            pool = Pool(reserve_in=self.quote, reserve_out=self.base)
        else:
            pool = Pool(reserve_in=self.base, reserve_out=self.quote)
        return pool.swap(amount_in, self.fee_rate, self.impact_fee_rate)

    @property
    def liquidity(self) -> Decimal:
        """The quote-token side of the pool, in human units."""
        return to_human_units(self.quote, self.pair.quote.decimals)

    def best_price(self, side: Side) -> Decimal:
        """The net price that no amount betters: that of an infinitely small one, in quote per base."""
        up = side is Side.SELL
        context = Context(prec=_DIGITS, rounding=ROUND_CEILING if up else ROUND_FLOOR)
        quote = self.quote * 10**self.pair.base.decimals
        base = self.base * 10**self.pair.quote.decimals
        kept = FEE_DENOMINATOR - self.fee_rate
        if up:
            return context.divide(Decimal(quote * kept), Decimal(base * FEE_DENOMINATOR))
        return context.divide(Decimal(quote * FEE_DENOMINATOR), Decimal(base * kept))


def best_price(depths: Sequence[Depth], side: Side) -> Decimal | None:
    """The net price that no amount betters on any venue; ``None`` without venues."""
    prices = [depth.best_price(side) for depth in depths]
    if not prices:
        return None
    return max(prices) if side is Side.SELL else min(prices)


def best_swap(depths: Sequence[Depth], side: Side, amount_in: int) -> tuple[Depth, SwapResult] | None:
    """Where this amount brings most now, net of fees and impact; ``None`` where it cannot be traded."""
    swaps = [(depth, depth.swap(side, amount_in)) for depth in depths]
    tradable = [
        (depth, swap) for depth, swap in swaps if swap.amount_out > 0 and swap.price_impact_pct <= MAX_IMPACT_PCT
    ]
    return max(tradable, key=lambda one: one[1].amount_out, default=None)
