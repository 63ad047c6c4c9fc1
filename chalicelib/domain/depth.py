"""The depth of a venue's pool at one moment: enough to compute any swap without asking the venue again."""

from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from math import ceil

from chalicelib.domain.money import PERCENT_STEP, to_human_units
from chalicelib.domain.pool import FEE_DENOMINATOR, Pool, SwapResult
from chalicelib.domain.tokens import Pair, Side

_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Depth:
    """Reserves in base units of the pair's two tokens; fees as in ``Pool.swap``.

    The last three fields, which do not compare, say when and from which market data the venue computed it.
    """

    venue: str
    pair: Pair
    base: int
    quote: int
    fee_rate: int
    impact_fee_rate: int
    at_ms: int | None = field(default=None, compare=False)
    price_at_ms: int | None = field(default=None, compare=False)
    launch_slot: int | None = field(default=None, compare=False)

    def swap(self, side: Side, amount_in: int) -> SwapResult:
        """The swap of ``amount_in`` base units."""
        if side is Side.BUY:
            pool = Pool(reserve_in=self.quote, reserve_out=self.base)
        else:
            pool = Pool(reserve_in=self.base, reserve_out=self.quote)
        return pool.swap(amount_in, self.fee_rate, self.impact_fee_rate)

    def max_amount(self, side: Side, impact_pct: Decimal) -> int:
        """An amount in base units above which every swap has a larger price impact than this."""
        reserve_in = self.quote if side is Side.BUY else self.base
        share = (impact_pct + PERCENT_STEP) / (100 - impact_pct - PERCENT_STEP)
        kept = FEE_DENOMINATOR - self.fee_rate - self.impact_fee_rate
        return ceil((reserve_in * share + 1) * FEE_DENOMINATOR / kept)

    @property
    def liquidity(self) -> Decimal:
        """The quote-token side of the pool, in human units."""
        return to_human_units(self.quote, self.pair.quote.decimals)

    def best_price(self, side: Side) -> Decimal:
        """The best possible net price in quote per base: that of an infinitely small amount."""
        up = side is Side.SELL
        context = Context(prec=_DIGITS, rounding=ROUND_CEILING if up else ROUND_FLOOR)
        quote = self.quote * 10**self.pair.base.decimals
        base = self.base * 10**self.pair.quote.decimals
        kept = FEE_DENOMINATOR - self.fee_rate
        if up:
            return context.divide(Decimal(quote * kept), Decimal(base * FEE_DENOMINATOR))
        return context.divide(Decimal(quote * FEE_DENOMINATOR), Decimal(base * kept))
