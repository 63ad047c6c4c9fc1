"""A swap from the request to the fill: what is asked of a venue and what comes of it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chalicelib.domain.conditions import LaunchedPool
from chalicelib.domain.money import price, to_human_units
from chalicelib.domain.tokens import Pair, Side, Token, side_of


@dataclass(frozen=True, slots=True)
class SwapRequest:
    """What is to be swapped. ``order_id`` and ``attempt`` make a simulated answer repeatable.

    ``market_as_of_ms``: what was told of the market by then must be known to who answers. ``pool``: the only one to ask.
    """

    pair: Pair
    token_in: Token
    token_out: Token
    amount_in: int
    order_id: str = ""
    attempt: int = 1
    simulate: str | None = None
    market_as_of_ms: int = 0
    pool: LaunchedPool | None = None

    @property
    def side(self) -> Side:
        return side_of(self.pair, self.token_in)

    def price_of(self, amount_out: int) -> Decimal:
        """Quote per base if ``amount_in`` brings ``amount_out`` base units."""
        paid = to_human_units(self.amount_in, self.token_in.decimals)
        got = to_human_units(amount_out, self.token_out.decimals)
        return price(paid, got) if self.side is Side.BUY else price(got, paid)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a venue would give now. ``amount_out`` is net of the fee; ``fee`` is in units of the token paid."""

    venue: str
    request: SwapRequest
    amount_out: int
    fee: int
    fee_bps: Decimal
    price_impact_pct: Decimal
    liquidity: Decimal
    quoted_at_ms: int

    def as_meta(self) -> dict[str, Any]:
        """The quote as the stream and the record show it."""
        request = self.request
        return {
            "price": request.price_of(self.amount_out),
            "amountOut": to_human_units(self.amount_out, request.token_out.decimals),
            "amountOutBase": str(self.amount_out),
            "fee": to_human_units(self.fee, request.token_in.decimals),
            "feeBase": str(self.fee),
            "feeBps": self.fee_bps,
            "priceImpactPct": self.price_impact_pct,
            "liquidity": self.liquidity,
        }


@dataclass(frozen=True, slots=True)
class Transaction:
    """A swap ready to send. ``signature`` is known before sending and is its identity on the chain."""

    signature: str
    quote: Quote
    min_amount_out: int
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fill:
    """A swap that landed."""

    signature: str
    order_id: str
    venue: str
    amount_in: int
    amount_out: int
