"""An order in the venues' terms, and an outcome in the stream's."""

from typing import Any

from chalicelib.domain.failures import AttemptFailedError
from chalicelib.domain.money import percent, to_human_units
from chalicelib.domain.orders import Order
from chalicelib.routing.venue import Fill, SwapRequest


def request_of(order: Order) -> SwapRequest:
    """What the venues are asked for this attempt."""
    spec = order.spec
    return SwapRequest(
        pair=spec.pair,
        token_in=spec.token_in,
        token_out=spec.token_out,
        amount_in=spec.amount_in,
        order_id=order.order_id,
        attempt=order.attempts,
        simulate=spec.simulate,
    )


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
