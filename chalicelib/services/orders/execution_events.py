"""An order in the venues' terms, and an outcome in the stream's."""

from datetime import datetime
from typing import Any

from chalicelib.codec.times import to_ms
from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.failures import AttemptFailedError
from chalicelib.domain.money import minimum_output, percent, to_human_units
from chalicelib.domain.orders import Order
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.swaps import Fill, SwapRequest


def request_of(order: Order) -> SwapRequest:
    """What the venues are asked for this attempt."""
    spec = order.spec
    return SwapRequest(
        pair=spec.pair,
        token_in=spec.token_in,
        token_out=spec.token_out,
        amount_in=spec.amount_in,
        order_id=order.order_id,
        # A limit order whose price left tries again within the same attempt.
        attempt=order.attempts + order.rearmed,
        simulate=spec.simulate,
        market_as_of_ms=0 if spec.type is OrderType.MARKET or order.updated_at is None else to_ms(order.updated_at),
        pool=order.launched_in,
    )


def min_acceptable_output(order: Order, quoted: int) -> int:
    """The least output to accept of a swap that was quoted so. A retry holds on to the minimum promised first.

    A limit order's minimum comes from its price alone.
    """
    if order.min_amount_out is not None:
        return order.min_amount_out
    return max(minimum_output(quoted, order.spec.slippage_bps), guaranteed_min_output(order))


def guaranteed_min_output(order: Order) -> int:
    """The least output that holds whatever is quoted."""
    return order.min_amount_out or order.spec.limit_min_out or 0


def missed(order: Order, error: AttemptFailedError | None, now: datetime) -> Order:
    """A waiting order that missed its swap: open again, or over if its time is up or it has no way back to waiting.

    Without an error its time was up before it was sent.
    """
    failed = {"lastError": {"code": error.code.value, "reason": error.reason}} if error else {}
    reason = error.reason if error else "its time was up"
    if order.status is not Status.ROUTING:
        order = order.moved(Status.ROUTING, now, failed)
    if order.spec.type is OrderType.LIMIT and order.spec.time_in_force is not TimeInForce.IOC:
        order = order.moved(Status.OPEN, now, {"reason": reason, "rearmed": order.rearmed + 1})
        return order.moved(Status.EXPIRED, now) if order.is_expired(now) else order
    code = {"code": error.code.value} if error else {}
    return order.moved(Status.EXPIRED, now, {"reason": reason, **code})


def confirmation_meta(order: Order, fill: Fill) -> dict[str, Any]:
    """What ``confirmed`` tells: the fill, its price, and how far it fell short of the quote, in percent."""
    price = request_of(order).price_of(fill.amount_out)
    quoted = int((order.quotes or {})[f"{fill.venue[0]}Quote"]["amountOutBase"])
    return {
        "dex": fill.venue,
        "txHash": fill.signature,
        "executedPrice": price,
        "executionPrice": price,
        "amountOut": to_human_units(fill.amount_out, order.spec.token_out.decimals),
        "amountOutBase": str(fill.amount_out),
        "slippagePct": percent(quoted - fill.amount_out, quoted),
    }


def failure_meta(order: Order, error: AttemptFailedError) -> dict[str, Any]:
    """What ``failed`` tells."""
    return {
        "code": error.code.value,
        "reason": error.reason,
        "retryable": error.retryable,
        "attempts": order.attempts,
    }
