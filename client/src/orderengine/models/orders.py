"""Orders: the answer to a new one, its record, its events, and its cancellation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from orderengine.errors import OrderCancelled, OrderExpired, OrderFailed
from orderengine.models.quotes import Quotes
from orderengine.models.reading import Model, Unreadable, field_of
from orderengine.models.words import TERMINAL_PHASES, Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Model):
    """The engine has accepted an order, and keeps it whatever happens."""

    id: str = field(metadata={Model.WIRE: "orderId"})
    status: str
    websocket_url: str
    links: Mapping[str, str]
    marketable_at_entry: bool | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch(Model):
    """The launch that a sniper order waits for."""

    mint: str
    venue: str | None
    min_liquidity: Decimal | None
    max_price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Model):
    """The record of an order, now or as it stood at an event. Amounts are in human units; ``_base`` means base units.

    Prices are quote per base. What does not apply is ``None``.
    """

    id: str = field(metadata={Model.WIRE: "orderId"})
    user_id: str
    client_order_id: str | None
    type: str
    side: str
    token_in: str
    token_out: str
    amount_in: Decimal
    amount_in_base: Decimal
    amount_out: Decimal | None
    amount_out_base: Decimal | None
    min_amount_out: Decimal | None
    status: str
    phase: str
    seq: int
    attempts: int
    dex_used: str | None
    executed_price: Decimal | None
    limit_price: Decimal | None
    time_in_force: str | None
    expires_at: datetime | None
    launch: Launch | None
    wait_reason: str | None
    tx_hash: str | None
    fail_code: str | None
    fail_reason: str | None
    quotes: Quotes | None
    created_at: datetime
    updated_at: datetime

    @property
    def is_terminal(self) -> bool:
        """Whether the order never changes again."""
        return self.phase in TERMINAL_PHASES

    @property
    def filled(self) -> bool:
        return self.phase == Phase.COMPLETED

    def raise_for_outcome(self) -> "Order":
        """Return the order if it is filled or goes on.

        :raises OrderFailed, OrderCancelled, OrderExpired: if it ended without a fill.
        """
        if self.phase == Phase.FAILED:
            raise OrderFailed(self, f"failed: {self.fail_code}, {self.fail_reason}")
        if self.phase == Phase.CANCELLED:
            raise OrderCancelled(self, "was cancelled")
        if self.phase == Phase.EXPIRED:
            raise OrderExpired(self, "expired")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatus(Model):
    """The short status of an order."""

    id: str = field(metadata={Model.WIRE: "orderId"})
    status: str
    phase: str
    seq: int
    updated_at: datetime

    @property
    def is_terminal(self) -> bool:
        return self.phase in TERMINAL_PHASES


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Model):
    """An event of an order: number ``seq`` of 1, 2, 3 without gaps. ``meta`` has what the contract says of its kind.

    ``order_id`` and ``user_id`` are set on every update that a client hands out. The properties below read ``meta``,
    and are ``None`` for an event without the value.
    """

    seq: int
    status: str
    phase: str
    attempt: int
    at: datetime
    meta: Mapping[str, Any]
    order_id: str = ""
    user_id: str = ""

    @property
    def is_terminal(self) -> bool:
        return self.phase in TERMINAL_PHASES

    @property
    def dex(self) -> str | None:
        """The venue of a trigger, a transaction or a fill."""
        return field_of(str, self.meta, "dex")

    @property
    def tx_hash(self) -> str | None:
        return field_of(str, self.meta, "txHash")

    @property
    def executed_price(self) -> Decimal | None:
        """The price of the fill, quote per base."""
        return field_of(Decimal, self.meta, "executedPrice")

    @property
    def amount_out(self) -> Decimal | None:
        """What the order receives, in human units."""
        return field_of(Decimal, self.meta, "amountOut")

    @property
    def quotes(self) -> Quotes | None:
        """The quotes that an attempt got, and the router's choice."""
        try:
            return Quotes.read(self.meta)
        except Unreadable:
            return None

    @property
    def fail_code(self) -> str | None:
        """Why the order failed or expired."""
        return field_of(str, self.meta, "code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation(Model):
    """A cancelled order, or, among those that came ``too_late``, what it had become."""

    id: str = field(metadata={Model.WIRE: "orderId"})
    outcome: str
    status: str
    seq: int
    phase: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellations(Model):
    """The outcome for all open orders of a user. ``more`` if there are others still."""

    cancelled: tuple[Cancellation, ...]
    too_late: tuple[Cancellation, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Model):
    """A page of orders, newest first. ``next_cursor`` is ``None`` on the last one."""

    orders: tuple[Order, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Events(Model):
    order_id: str
    events: tuple[Update, ...]
