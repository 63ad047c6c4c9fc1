"""The best price and the best swap among the pools of a pair."""

from collections.abc import Sequence
from decimal import Decimal

from chalicelib.domain.depth import Depth
from chalicelib.domain.pool import SwapResult
from chalicelib.domain.tokens import Side

#: A trade that takes more of the pool than this, in percent, is refused.
MAX_IMPACT_PCT = 10


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
