"""The conditions of limit and sniper orders: price, launch, lifetime, and the minimum output that they imply."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from chalicelib.domain.errors import Rule
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.tokens import Pair, Side, Token

#: The longest time an order may be open, and the lifetime of a GTC order.
MAX_ORDER_LIFETIME = timedelta(days=30)
#: DynamoDB items end at 400 KB, so each cause of an open order's events has a share of its own: no launch and no
#: price uses up the amendments of the owner.
MAX_AMENDMENTS = 200
#: An order refuses further launches without an event.
MAX_STORED_REFUSALS = 50
#: The growing pause between triggers bounds the missed ones. After this many, an amendment does not end the pause.
MAX_MISSES_WITHOUT_PAUSE = 50


class TimeInForce(StrEnum):
    """How long an order is open: until it is cancelled, until a date, or for one attempt."""

    GTC = "GTC"
    GTD = "GTD"
    IOC = "IOC"


@dataclass(frozen=True, slots=True)
class LaunchTerms:
    """The launch that a sniper order waits for. ``None`` accepts any value.

    ``min_liquidity`` is in human units of the token paid, ``max_price`` in that token per token received.
    """

    mint: str
    venue: str | None = None
    min_liquidity: Decimal | None = None
    max_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LaunchedPool:
    """The pool in which a launched mint is bought."""

    venue: str
    address: str


@dataclass(frozen=True, slots=True)
class Launch:
    """A pool that a market feed announced.

    ``price`` is quote per base and ``liquidity`` the quote side of the pool, both in human units. ``quote`` is the
    symbol of the quote token; ``None`` applies price and liquidity to any quote token that an order pays with.
    """

    mint: str
    venue: str
    pool: str
    slot: int
    price: Decimal
    liquidity: Decimal
    at_ms: int
    quote: str | None = None

    @property
    def id(self) -> str:
        """The identity of a launch: a second announcement with the same mint, pool and slot is a duplicate."""
        return f"{self.mint}#{self.pool}#{self.slot}"

    @property
    def opened(self) -> LaunchedPool:
        return LaunchedPool(self.venue, self.pool)


@dataclass(frozen=True, slots=True)
class Amendment:
    """New terms for an open order; a field that is ``None`` keeps its value. ``limit_price`` is quote per base."""

    limit_price: Decimal | None = None
    slippage_bps: int | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PriceWatch:
    """Limit orders of one side of a pair wait for its price."""

    pair: Pair
    side: Side


@dataclass(frozen=True, slots=True)
class LaunchWatch:
    """Sniper orders wait for the first launch of a mint."""

    mint: str


#: The market condition that an open order waits for.
Watch = PriceWatch | LaunchWatch


def rule_of_min_output(min_output: int) -> Rule | None:
    """The rule that a price breaks by its minimum output in base units."""
    if min_output < 1:
        return Rule.PRICE_LEAVES_AN_OUTPUT
    return Rule.PRICE_ASKS_WHAT_AN_ACCOUNT_HOLDS if min_output > MAX_BASE_UNITS else None


def min_output_at_price(side: Side, token_in: Token, token_out: Token, amount_in: int, price_limit: Decimal) -> int:
    """The minimum output in base units that a price limit in quote per base allows.

    Buy ``floor(amountIn / limit)``, sell ``floor(amountIn * limit)``, with one floor at the end.
    """
    paid = Fraction(amount_in, 10**token_in.decimals)
    limit = Fraction(price_limit)
    received = paid / limit if side is Side.BUY else paid * limit
    return int(received * 10**token_out.decimals)
