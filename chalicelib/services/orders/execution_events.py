"""Translations between an order and the venues: the swap an order asks for, and the events of its outcome."""

from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.as_of import ANY_TIME, AsOf
from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.events import AttemptStarted, Confirmed, Expired, PriceMovedAway
from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.money import minimum_output, percent
from chalicelib.domain.orders import Order
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.swaps import Fill, SwapRequest

_TIME_UP = "its time was up"


def swap_request(order: Order) -> SwapRequest:
    """The swap that the venues are asked to quote in this attempt."""
    spec = order.spec
    return SwapRequest(
        pair=spec.pair,
        token_in=spec.token_in,
        token_out=spec.token_out,
        amount_in=spec.amount_in,
        order_id=order.order_id,
        # A limit order whose price moved away retries within the same attempt, and needs other simulated draws.
        attempt=order.attempts + order.missed_triggers,
        simulate=spec.simulate,
        as_of=ANY_TIME
        if spec.type is OrderType.MARKET or order.updated_at is None
        else AsOf(to_ms(order.updated_at)),
        pool=order.launched_in,
    )


def min_acceptable_output(order: Order, quoted: int) -> int:
    """The minimum output of a swap that a venue quoted. A retry keeps the minimum of the first attempt.

    A limit order's minimum comes from its price alone.
    """
    if order.min_amount_out is not None:
        return order.min_amount_out
    return max(minimum_output(quoted, order.spec.slippage_bps), guaranteed_min_output(order))


def guaranteed_min_output(order: Order) -> int:
    """The minimum output that holds for every quote."""
    return order.min_amount_out or order.spec.limit_min_out or 0


def missed_minimum(quoted: int, minimum: int) -> AttemptFailedError | None:
    """The failure of an attempt whose best quote is below the minimum output."""
    if quoted >= minimum:
        return None
    reason = "every venue would return less than the minimum output"
    return AttemptFailedError(FailureCode.SLIPPAGE_EXCEEDED, reason)


def after_missed_trigger(order: Order, error: AttemptFailedError | None, now: datetime) -> Order:
    """The order after its price moved away: open again, or expired if its time is up or it cannot wait again.

    ``error`` is ``None`` if the order's time was up before its transaction was sent.
    """
    reason, code = (error.reason, error.code) if error else (_TIME_UP, None)
    if order.status is not Status.ROUTING:
        order = order.after(AttemptStarted(error.failure if error else None), now)
    if order.spec.type is OrderType.LIMIT and order.spec.time_in_force is not TimeInForce.IOC:
        order = order.after(PriceMovedAway(reason, order.missed_triggers + 1, code), now)
        return order.after(Expired(), now) if order.is_expired(now) else order
    return order.after(Expired(reason, code), now)


def confirmation(order: Order, fill: Fill) -> Confirmed:
    """The event of a fill: its price, and how far the output fell short of the quote, in percent."""
    quote = order.quotes and order.quotes.quote_of(fill.venue)
    quoted = quote.amount_out if quote else 0
    return Confirmed(
        venue=fill.venue,
        tx_hash=fill.signature,
        amount_out=fill.amount_out,
        executed_price=swap_request(order).price_of(fill.amount_out),
        slippage_pct=percent(quoted - fill.amount_out, quoted),
        landed_at_ms=fill.landed_at_ms,
        price_at_ms=fill.price_at_ms,
        launch_slot=fill.launch_slot,
    )
