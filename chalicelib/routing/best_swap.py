"""The best price and the best swap among the pools of a pair."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from chalicelib.domain.depth import Depth
from chalicelib.domain.pool import SwapResult
from chalicelib.domain.tokens import Side

#: The router refuses a trade that takes a larger share of the pool than this, in percent.
MAX_IMPACT_PCT = Decimal(10)


@dataclass(frozen=True, slots=True)
class BestSwap:
    """The pool that brings most for an amount, and what it brings."""

    depth: Depth
    swap: SwapResult

    @property
    def amount_out(self) -> int:
        return self.swap.amount_out


def best_price(depths: Sequence[Depth], side: Side) -> Decimal | None:
    """The net price that no amount betters on any venue; ``None`` without venues."""
    prices = [depth.best_price(side) for depth in depths]
    if not prices:
        return None
    return max(prices) if side is Side.SELL else min(prices)


def max_amount(depths: Sequence[Depth], side: Side) -> int:
    """An amount in base units above which no pool can trade now; 0 without venues."""
    return max((depth.max_amount(side, MAX_IMPACT_PCT) for depth in depths), default=0)


def best_swap(depths: Sequence[Depth], side: Side, amount_in: int) -> BestSwap | None:
    """The best swap of this amount now, net of fees and impact; ``None`` where no pool can trade it."""
    swaps = [BestSwap(depth, depth.swap(side, amount_in)) for depth in depths]
    tradable = [best for best in swaps if best.amount_out > 0 and best.swap.price_impact_pct <= MAX_IMPACT_PCT]
    return max(tradable, key=lambda best: best.amount_out, default=None)
