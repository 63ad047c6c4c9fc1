"""A swap from request to fill: what the router asks of a venue, and what the venue makes of it."""

from dataclasses import dataclass, field
from decimal import Decimal

from chalicelib.domain.as_of import ANY_TIME, AsOf
from chalicelib.domain.conditions import LaunchedPool
from chalicelib.domain.events import VenueQuote
from chalicelib.domain.money import price, to_human_units
from chalicelib.domain.tokens import Pair, Side, Token, side_of


@dataclass(frozen=True, slots=True)
class SwapRequest:
    """A swap of ``amount_in`` base units of ``token_in``. ``order_id`` and ``attempt`` make a simulation repeatable.

    ``as_of``: the venue must know every price and launch that was pushed by then. ``pool`` restricts the swap to one
    pool.
    """

    pair: Pair
    token_in: Token
    token_out: Token
    amount_in: int
    order_id: str = ""
    attempt: int = 1
    simulate: str | None = None
    as_of: AsOf = field(default=ANY_TIME, compare=False)
    pool: LaunchedPool | None = None

    @property
    def side(self) -> Side:
        return side_of(self.pair, self.token_in)

    def price_of(self, amount_out: int) -> Decimal:
        """The price in quote per base if ``amount_in`` brings ``amount_out`` base units."""
        paid = to_human_units(self.amount_in, self.token_in.decimals)
        received = to_human_units(amount_out, self.token_out.decimals)
        return price(paid, received) if self.side is Side.BUY else price(received, paid)


@dataclass(frozen=True, slots=True)
class Quote:
    """A venue's offer for a request. ``amount_out`` is net of the fee; ``fee`` is in base units of the token paid.

    ``quoted_at_ms``, ``price_at_ms`` and ``launch_slot`` are as in ``VenueQuote``.
    """

    venue: str
    request: SwapRequest
    amount_out: int
    fee: int
    fee_bps: Decimal
    price_impact_pct: Decimal
    liquidity: Decimal
    quoted_at_ms: int
    price_at_ms: int | None = None
    launch_slot: int | None = None

    def as_venue_quote(self) -> VenueQuote:
        """The offer as an event keeps it."""
        return VenueQuote(
            price=self.request.price_of(self.amount_out),
            amount_out=self.amount_out,
            fee=self.fee,
            fee_bps=self.fee_bps,
            price_impact_pct=self.price_impact_pct,
            liquidity=self.liquidity,
            quoted_at_ms=self.quoted_at_ms,
            price_at_ms=self.price_at_ms,
            launch_slot=self.launch_slot,
        )


@dataclass(frozen=True, slots=True)
class Transaction:
    """A swap ready to send. ``signature`` is known before sending and identifies the transaction on the chain."""

    signature: str
    quote: Quote
    min_amount_out: int
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fill:
    """A swap that landed. Amounts are in base units.

    ``landed_at_ms``, ``price_at_ms`` and ``launch_slot`` are as in ``VenueQuote``; a swap of an earlier version has
    none.
    """

    signature: str
    order_id: str
    venue: str
    amount_in: int
    amount_out: int
    landed_at_ms: int | None = None
    price_at_ms: int | None = None
    launch_slot: int | None = None
