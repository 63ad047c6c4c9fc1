"""The specification of an order: the swap that a client asks for and the conditions it sets."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from chalicelib.domain.conditions import LaunchTerms, LaunchWatch, PriceWatch, TimeInForce, Watch, min_output_at_price
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.status import OrderType
from chalicelib.domain.tokens import Pair, Side, Token, market_of


class Priority(StrEnum):
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class OrderSpec:
    """The client's order, as amended. ``amount_in`` is in base units of ``token_in``.

    ``limit_price`` belongs to limit orders (quote per base), ``launch`` to sniper orders. Both have a
    ``time_in_force``, and ``expires_at`` with GTD.
    """

    user_id: str
    type: OrderType
    side: Side
    token_in: Token
    token_out: Token
    amount_in: int
    slippage_bps: int
    priority: Priority = Priority.NORMAL
    client_order_id: str | None = None
    simulate: str | None = None
    limit_price: Decimal | None = None
    launch: LaunchTerms | None = None
    time_in_force: TimeInForce | None = None
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        """:raises ValueError: for an amount that no token account can hold."""
        if not 0 < self.amount_in <= MAX_BASE_UNITS:
            raise ValueError(f"amount_in of {self.amount_in} base units")

    @property
    def pair(self) -> Pair:
        return market_of(self.token_in, self.token_out)

    @property
    def limit_min_out(self) -> int | None:
        """The minimum output in base units that the price limit allows; ``None`` without a limit."""
        limit = self.launch.max_price if self.launch else self.limit_price
        if limit is None:
            return None
        return min_output_at_price(self.side, self.token_in, self.token_out, self.amount_in, limit)

    @property
    def watch(self) -> Watch:
        """The market condition that an open order of this specification waits for."""
        return LaunchWatch(self.launch.mint) if self.launch else PriceWatch(self.pair, self.side)
