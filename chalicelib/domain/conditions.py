"""What a waiting order waits for, and what it accepts at least."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from chalicelib.domain.tokens import Pair, Side, Token

#: An order waits at most so long, and so long if it is to wait until it is cancelled.
MAX_ORDER_LIFETIME = timedelta(days=30)
#: An order that has so many events takes no more of those that leave it waiting: an item has its size.
MAX_EVENTS_WHILE_OPEN = 300
#: How the key of a launch begins.
LAUNCH = "launch#"


class TimeInForce(StrEnum):
    """How long an order waits: until it is cancelled, until a date, or not at all."""

    GTC = "GTC"
    GTD = "GTD"
    IOC = "IOC"


@dataclass(frozen=True, slots=True)
class LaunchTerms:
    """The launch that a sniper order waits for. What is ``None`` does not matter.

    ``min_liquidity`` is in human units of the token paid, ``max_price`` in that token per token got.
    """

    mint: str
    venue: str | None = None
    min_liquidity: Decimal | None = None
    max_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LaunchedPool:
    """The one pool that a launched mint is bought in."""

    venue: str
    address: str


@dataclass(frozen=True, slots=True)
class Launch:
    """A pool that was opened. ``price`` is quote per base and ``liquidity`` the pool's quote side, in human units.

    ``quote`` is the symbol that both are in; ``None``: they hold for whichever quote token an order pays with.
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
        """What a second announcement of the same launch has in common with the first."""
        return f"{self.mint}#{self.pool}#{self.slot}"

    @property
    def opened(self) -> LaunchedPool:
        return LaunchedPool(self.venue, self.pool)


@dataclass(frozen=True, slots=True)
class Amendment:
    """New terms of an open order; what is ``None`` stays. ``limit_price`` is quote per base."""

    limit_price: Decimal | None = None
    slippage_bps: int | None = None
    expires_at: datetime | None = None


def price_key(pair: Pair, side: Side) -> str:
    """What limit orders wait for."""
    return f"{pair.name}#{side.value}"


def launch_key(mint: str) -> str:
    """What sniper orders wait for."""
    return f"{LAUNCH}{mint}"


def min_output_at_price(side: Side, token_in: Token, token_out: Token, amount_in: int, price_limit: Decimal) -> int:
    """The least output in base units that a price limit in quote per base allows.

    Buy ``floor(amountIn / limit)``, sell ``floor(amountIn * limit)``, with one floor at the end.
    """
    paid = Fraction(amount_in, 10**token_in.decimals)
    limit = Fraction(price_limit)
    got = paid / limit if side is Side.BUY else paid * limit
    return int(got * 10**token_out.decimals)
