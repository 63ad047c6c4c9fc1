"""Orders at some point of their life, as the services make them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from chalicelib.domain.orders import Order, OrderSpec
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import BY_SYMBOL, Side
from chalicelib.services.orders.acceptance import expiry, terms_meta

NOON = datetime(2026, 1, 31, 12, 0, 0, 123_000, tzinfo=UTC)


def spec(**changes: Any) -> OrderSpec:
    """Two SOL for USDC, unless told otherwise; tokens by symbol."""
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
    """A limit or sniper order as it begins to wait."""
    meta = terms_meta(spec, expiry(spec, at))
    return Order.accepted(order_id or str(uuid4()), spec, at).moved(Status.OPEN, at, meta)


def amended(order: Order, limit_price: str, at: datetime = NOON) -> Order:
    return order.moved(Status.OPEN, at, {"amended": {"limitPrice": Decimal(limit_price)}})


def triggered(order: Order, at: datetime = NOON) -> Order:
    return order.moved(Status.TRIGGERED, at, {"trigger": "price"})


def rearmed(order: Order, at: datetime = NOON) -> Order:
    """After it had triggered and its price had left."""
    began = triggered(order, at).moved(Status.ROUTING, at, next_attempt=not order.attempts)
    return began.moved(Status.OPEN, at, {"reason": "the price left", "rearmed": order.rearmed + 1})


def quote(price: str = "99.74602") -> dict[str, Any]:
    return {
        "price": Decimal(price),
        "amountOut": Decimal("199.49204"),
        "amountOutBase": "199492040",
        "fee": Decimal("0.005"),
        "feeBase": "5000000",
        "feeBps": Decimal(25),
        "priceImpactPct": Decimal("0.004"),
        "liquidity": Decimal("10000000"),
    }


def routed(order: Order, at: datetime = NOON, **quotes: Any) -> Order:
    """After the quotes of its first attempt, or of the same attempt again."""
    if order.status in (Status.PENDING, Status.TRIGGERED):
        order = order.moved(Status.ROUTING, at, next_attempt=not order.attempts)
    decision = {"rQuote": quote(), "mQuote": quote("98.7"), "chosen": "raydium", "reason": "more, net of fees"}
    return order.moved(Status.ROUTING, at, decision | quotes)


def retried(order: Order, at: datetime = NOON) -> Order:
    """After a first attempt that failed."""
    return order.moved(Status.ROUTING, at, {"lastError": {"code": "STALE_QUOTE"}}, next_attempt=True)


def confirmed(
    order: Order, at: datetime = NOON, *, amount_out: int = 199_400_000, executed_price: str = "99.7"
) -> Order:
    minimum = {"dex": "raydium", "minAmountOut": Decimal("197.497119"), "minAmountOutBase": "197497119"}
    sent = {"dex": "raydium", "txHash": f"tx-{order.order_id}"}
    slippage = Decimal("0.0416")
    fill = {"executedPrice": Decimal(executed_price), "amountOutBase": str(amount_out), "slippagePct": slippage}
    order = routed(order, at).moved(Status.BUILDING, at, minimum).moved(Status.SUBMITTED, at, sent)
    return order.moved(Status.CONFIRMED, at, sent | fill)


def failed(order: Order, at: datetime = NOON) -> Order:
    reason = {"code": "NO_LIQUIDITY", "reason": "the pool is too small", "retryable": False, "attempts": 1}
    return order.moved(Status.ROUTING, at, next_attempt=True).moved(Status.FAILED, at, reason)


def cancelled(order: Order, at: datetime = NOON) -> Order:
    return order.moved(Status.CANCELLED, at)
