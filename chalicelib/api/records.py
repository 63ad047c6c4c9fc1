"""The record of an order, as ``GET /api/orders/{orderId}`` and the history list show it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chalicelib.codec.times import to_text
from chalicelib.domain.conditions import LaunchTerms
from chalicelib.domain.errors import CancelTooLateError
from chalicelib.domain.money import to_human_units
from chalicelib.domain.orders import Order
from chalicelib.domain.tokens import Token


def record_of(order: Order) -> dict[str, Any]:
    """The public record: amounts and prices as ``Decimal`` in human units, ``...Base`` as integer text.

    What does not apply (yet) is ``None``.

    :raises IllegalTransitionError: for an order without events.
    """
    spec = order.spec
    return {
        "orderId": order.order_id,
        "userId": spec.user_id,
        "clientOrderId": spec.client_order_id,
        "type": spec.type.value,
        "side": spec.side.value,
        "tokenIn": spec.token_in.symbol,
        "tokenOut": spec.token_out.symbol,
        "amountIn": to_human_units(spec.amount_in, spec.token_in.decimals),
        "amountInBase": str(spec.amount_in),
        "amountOut": _human(order.amount_out, spec.token_out),
        "amountOutBase": None if order.amount_out is None else str(order.amount_out),
        "minAmountOut": _human(order.min_amount_out, spec.token_out),
        "status": order.current_status.value,
        "phase": order.phase.value,
        "seq": order.seq,
        "attempts": order.attempts,
        "dexUsed": order.dex,
        "executedPrice": order.executed_price,
        "limitPrice": spec.limit_price,
        "timeInForce": spec.time_in_force and spec.time_in_force.value,
        "expiresAt": _text(order.expires_at),
        "launch": spec.launch and launch_terms_of(spec.launch),
        "waitReason": order.wait_reason,
        "txHash": order.tx_hash,
        "failCode": order.fail_code,
        "failReason": order.fail_reason,
        "quotes": order.quotes,
        "createdAt": _text(order.created_at),
        "updatedAt": _text(order.updated_at),
    }


def launch_terms_of(terms: LaunchTerms) -> dict[str, Any]:
    return {
        "mint": terms.mint,
        "venue": terms.venue,
        "minLiquidity": terms.min_liquidity,
        "maxPrice": terms.max_price,
    }


def _human(base_units: int | None, token: Token) -> Any:
    return None if base_units is None else to_human_units(base_units, token.decimals)


def _text(at: datetime | None) -> str | None:
    return None if at is None else to_text(at)


def cancellation_of(order: Order) -> dict[str, Any]:
    """The answer to whoever cancelled the order."""
    return {
        "orderId": order.order_id,
        "outcome": "cancelled",
        "status": order.current_status.value,
        "phase": order.phase.value,
        "seq": order.seq,
    }


def cancellations_of(done: Sequence[Order], too_late: Sequence[CancelTooLateError], more: bool) -> dict[str, Any]:
    """The answer to whoever cancelled all of a user's orders; ``more``: there are more, to ask for again."""
    return {
        "cancelled": [cancellation_of(order) for order in done],
        "tooLate": [{"orderId": error.order_id, **error.verdict} for error in too_late],
        "more": more,
    }
