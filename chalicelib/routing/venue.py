"""What the engine needs of a venue. A real DEX is one more implementation and one line in ``venues``."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from chalicelib.domain.money import price, to_human_units
from chalicelib.domain.terms import LaunchedPool
from chalicelib.domain.tokens import Pair, Side, Token, side_of
from chalicelib.routing.depth import Depth


@dataclass(frozen=True, slots=True)
class SwapRequest:
    """What is to be swapped. ``order_id`` and ``attempt`` make a simulated answer repeatable.

    ``known_ms``: what was told of the market by then must be known to who answers. ``pool``: the only one to ask.
    """

    pair: Pair
    token_in: Token
    token_out: Token
    amount_in: int
    order_id: str = ""
    attempt: int = 1
    simulate: str | None = None
    known_ms: int = 0
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


class Venue(Protocol):
    """A place to swap. Its calls raise ``AttemptFailedError`` with the venue's reason."""

    @property
    def name(self) -> str: ...

    def depth(self, pair: Pair, known_ms: int = 0, pool: LaunchedPool | None = None) -> Depth:
        """The pool as it is now, and as a local copy of its accounts shows it: no wait, and no order's fault.

        Of a launched mint it is said which pool.
        """
        ...

    def quote(self, request: SwapRequest) -> Quote: ...

    def build(self, quote: Quote, min_amount_out: int) -> Transaction: ...

    def send(self, transaction: Transaction) -> Fill: ...


class Ledger(Protocol):
    """The chain's memory, keyed by signature: one swap per signature, for ever."""

    def land(self, fill: Fill, at_ms: int) -> Fill:
        """Record the swap, or return the one that landed under this signature before.

        :raises AttemptFailedError: ``TX_DROPPED`` if the signature was voided.
        """
        ...

    def settle(self, signature: str, order_id: str, at_ms: int) -> Fill | None:
        """What became of a signature, for good: its fill, or ``None`` and it is void and can no longer land."""
        ...
