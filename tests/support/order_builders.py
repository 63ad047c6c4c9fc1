"""Builders of orders in each status, with the events that the use cases append."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from chalicelib.domain.conditions import Amendment
from chalicelib.domain.events import (
    Amended,
    AttemptStarted,
    Building,
    Cancelled,
    Confirmed,
    Failed,
    Opened,
    OpenTerms,
    PriceMovedAway,
    PriceTriggered,
    QuotesReceived,
    Submitted,
    VenueAnswer,
    VenueQuote,
)
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import BY_SYMBOL, Side
from chalicelib.services.orders.acceptance import expiry, open_terms

NOON = datetime(2026, 1, 31, 12, 0, 0, 123_000, tzinfo=UTC)


def spec(**changes: Any) -> OrderSpec:
    """A market order that sells two SOL for USDC; ``changes`` replace fields and name tokens by symbol."""
    values = {"token_in": "SOL", "token_out": "USDC", "side": Side.SELL} | changes
    asked = {
        "user_id": "alice",
        "type": OrderType.MARKET,
        "amount_in": 2_000_000_000,
        "slippage_bps": 100,
        **values,
        "token_in": BY_SYMBOL[values["token_in"]],
        "token_out": BY_SYMBOL[values["token_out"]],
    }
    return OrderSpec(**asked)


def pending(at: datetime = NOON, order_id: str | None = None, **changes: Any) -> Order:
    return Order.accepted(order_id or str(uuid4()), spec(**changes), at)


def opened(spec: OrderSpec, at: datetime = NOON, order_id: str | None = None) -> Order:
    """An open limit or sniper order, just accepted."""
    terms = open_terms(spec, expiry(spec, at))
    return Order.accepted(order_id or str(uuid4()), spec, at).after(Opened(terms), at)


def amended(order: Order, limit_price: str, at: datetime = NOON) -> Order:
    return order.after(Amended(OpenTerms(), Amendment(limit_price=Decimal(limit_price))), at)


def triggered(order: Order, at: datetime = NOON) -> Order:
    return order.after(PriceTriggered("raydium", Decimal("99.7")), at)


def missed(order: Order, at: datetime = NOON) -> Order:
    """The order, open again after the price moved away between its trigger and the swap."""
    began = triggered(order, at).after(AttemptStarted(), at, next_attempt=not order.attempts)
    return began.after(PriceMovedAway("the price moved away", order.missed_triggers + 1), at)


def quote(price: str = "99.74602", amount_out: int = 199_492_040) -> VenueQuote:
    return VenueQuote(
        price=Decimal(price),
        amount_out=amount_out,
        fee=5_000_000,
        fee_bps=Decimal(25),
        price_impact_pct=Decimal("0.004"),
        liquidity=Decimal("10000000"),
    )


def quotes(raydium: VenueQuote | None = None, meteora: VenueQuote | None = None) -> QuotesReceived:
    """The quotes of both venues, routed to Raydium."""
    answers = (VenueAnswer("raydium", raydium or quote()), VenueAnswer("meteora", meteora or quote("98.7")))
    return QuotesReceived(answers, "raydium", "more, net of fees")


def routed(order: Order, at: datetime = NOON, decision: QuotesReceived | None = None) -> Order:
    """The order after the quotes of its first or current attempt."""
    if order.status in (Status.PENDING, Status.TRIGGERED):
        order = order.after(AttemptStarted(), at, next_attempt=not order.attempts)
    return order.after(decision or quotes(), at)


def retried(order: Order, at: datetime = NOON) -> Order:
    """The order at the start of its second attempt, after the first one failed."""
    failure = Failure(FailureCode.STALE_QUOTE, "the quote is too old")
    return order.after(AttemptStarted(failure), at, next_attempt=True)


def building(order: Order, at: datetime = NOON) -> Order:
    return order.after(Building("raydium", 197_497_119, ("wrapSol", "swap")), at)


def submitted(order: Order, at: datetime = NOON) -> Order:
    return order.after(Submitted("raydium", f"tx-{order.order_id}"), at)


def confirmed(
    order: Order, at: datetime = NOON, *, amount_out: int = 199_400_000, executed_price: str = "99.7"
) -> Order:
    fill = Confirmed(
        venue="raydium",
        tx_hash=f"tx-{order.order_id}",
        amount_out=amount_out,
        executed_price=Decimal(executed_price),
        slippage_pct=Decimal("0.0416"),
    )
    return submitted(building(routed(order, at), at), at).after(fill, at)


def failed(order: Order, at: datetime = NOON) -> Order:
    failure = Failure(FailureCode.NO_LIQUIDITY, "the pool is too small")
    return order.after(AttemptStarted(), at, next_attempt=True).after(Failed(failure), at)


def cancelled(order: Order, at: datetime = NOON) -> Order:
    return order.after(Cancelled(), at)
