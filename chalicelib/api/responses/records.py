"""The record of an order, as ``GET /api/orders/{orderId}`` and the list of orders show it."""

from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict

from chalicelib.api.quotes import route_body
from chalicelib.codec.times import to_text
from chalicelib.domain.conditions import LaunchTerms
from chalicelib.domain.money import to_human_units
from chalicelib.domain.orders import Order
from chalicelib.domain.read_model import OrderReadModel, read_model_of
from chalicelib.domain.tokens import Token
from chalicelib.ports.history import Page


class LaunchBody(TypedDict):
    """The filters of a sniper order."""

    mint: str
    venue: str | None
    minLiquidity: Decimal | None
    maxPrice: Decimal | None


class OrderRecord(TypedDict):
    """An order. Amounts and prices are in human units, ``...Base`` are integers in base units as text.

    A field that does not apply (yet) is null.
    """

    orderId: str
    userId: str
    clientOrderId: str | None
    type: str
    side: str
    tokenIn: str
    tokenOut: str
    amountIn: Decimal
    amountInBase: str
    amountOut: Decimal | None
    amountOutBase: str | None
    minAmountOut: Decimal | None
    status: str
    phase: str
    seq: int
    attempts: int
    dexUsed: str | None
    executedPrice: Decimal | None
    limitPrice: Decimal | None
    timeInForce: str | None
    expiresAt: str | None
    launch: LaunchBody | None
    waitReason: str | None
    txHash: str | None
    failCode: str | None
    failReason: str | None
    quotes: dict[str, Any] | None
    createdAt: str
    updatedAt: str


class StatusBody(TypedDict):
    """The answer of the cheap poll."""

    orderId: str
    status: str
    phase: str
    seq: int
    updatedAt: str


class ListBody(TypedDict):
    orders: list[OrderRecord]
    nextCursor: str | None


def order_record(order: OrderReadModel) -> OrderRecord:
    return {
        "orderId": order.order_id,
        "userId": order.user_id,
        "clientOrderId": order.client_order_id,
        "type": order.type.value,
        "side": order.side.value,
        "tokenIn": order.token_in.symbol,
        "tokenOut": order.token_out.symbol,
        "amountIn": to_human_units(order.amount_in, order.token_in.decimals),
        "amountInBase": str(order.amount_in),
        "amountOut": _human(order.amount_out, order.token_out),
        "amountOutBase": None if order.amount_out is None else str(order.amount_out),
        "minAmountOut": _human(order.min_amount_out, order.token_out),
        "status": order.status.value,
        "phase": order.phase.value,
        "seq": order.seq,
        "attempts": order.attempts,
        "dexUsed": order.venue,
        "executedPrice": order.executed_price,
        "limitPrice": order.limit_price,
        "timeInForce": order.time_in_force and order.time_in_force.value,
        "expiresAt": _text(order.expires_at),
        "launch": launch_body(order.launch) if order.launch else None,
        "waitReason": order.wait_reason,
        "txHash": order.tx_hash,
        "failCode": order.fail_code,
        "failReason": order.fail_reason,
        "quotes": route_body(order.quotes, order.token_in, order.token_out) if order.quotes else None,
        "createdAt": to_text(order.created_at),
        "updatedAt": to_text(order.updated_at),
    }


def record_of(order: Order) -> OrderRecord:
    """:raises IllegalTransitionError: for an order without events."""
    return order_record(read_model_of(order))


def list_body(page: Page) -> ListBody:
    return {"orders": [order_record(order) for order in page.orders], "nextCursor": page.next_cursor}


def status_body(order: Order) -> StatusBody:
    return {
        "orderId": order.order_id,
        "status": order.current_status.value,
        "phase": order.phase.value,
        "seq": order.seq,
        "updatedAt": to_text(order.events[-1].at),
    }


def launch_body(terms: LaunchTerms) -> LaunchBody:
    return {
        "mint": terms.mint,
        "venue": terms.venue,
        "minLiquidity": terms.min_liquidity,
        "maxPrice": terms.max_price,
    }


def _human(base_units: int | None, token: Token) -> Decimal | None:
    return None if base_units is None else to_human_units(base_units, token.decimals)


def _text(at: datetime | None) -> str | None:
    return None if at is None else to_text(at)
