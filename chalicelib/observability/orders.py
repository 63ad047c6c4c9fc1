"""The events of an order's life, as an operator sees them."""

import logging
from datetime import datetime

from chalicelib.codec.times import milliseconds
from chalicelib.domain.failures import AttemptFailedError
from chalicelib.domain.orders import Order
from chalicelib.domain.status import OrderType, Status
from chalicelib.observability import metrics
from chalicelib.observability.lines import note
from chalicelib.observability.metrics import Measured

# --- acceptance and triggers ------------------------------------------------------------------------------


def accepted(order: Order) -> None:
    """The order is stored."""
    note("accepted", metrics.ORDERS_ACCEPTED.of(), type=order.spec.type.value, about=order)


def amended(order: Order) -> None:
    note("amended", seq=order.seq, about=order)


def triggered(order: Order) -> None:
    """The market reached what an open order waits for."""
    reason = type(order.events[-1].data).__name__
    note("triggered", metrics.ORDERS_TRIGGERED.of(), trigger=reason, about=order)


# --- execution --------------------------------------------------------------------------------------------


def started(order: Order, waited_ms: int | None) -> None:
    """A worker leased the order for a new attempt. ``waited_ms``: how long it could have started, at its first."""
    waited = () if waited_ms is None else (metrics.QUEUE_WAIT.of(waited_ms),)
    note("started", metrics.ORDERS_STARTED.of(), *waited, attempt=order.attempts, about=order)


def resumed(order: Order) -> None:
    """A worker took up an order whose worker was lost after it may have sent the swap."""
    note("asking the ledger for the outcome of a sent swap", level=logging.WARNING, about=order)


def routed(order: Order, reason: str, leased_at: datetime, *, degraded: bool) -> None:
    """The transaction is built for the chosen quote, which ends the stage of routing."""
    more = {"degraded": True} if degraded else {}
    note("routed", _routing(leased_at, order.events[-1].at), venue=order.venue, reason=reason, **more, about=order)


def submitted(order: Order) -> None:
    """The signature is stored, which ends the stage of building."""
    note("submitted", _last_stage(order), about=order)


def attempt_failed(order: Order, error: AttemptFailedError, leased_at: datetime, at: datetime) -> None:
    """An attempt fails while it routes, or after it sent the swap."""
    is_sent = order.status is Status.SUBMITTED
    note(
        "attempt failed",
        metrics.ATTEMPTS_FAILED.of(part=error.code.value),
        _stage(order, Status.SUBMITTED, at) if is_sent else _routing(leased_at, at),
        level=logging.WARNING,
        attempt=order.attempts,
        reason=error.reason,
        about=order,
    )


def waits(order: Order, reason: str, seconds: float) -> None:
    """The order cannot be executed now, but after some seconds."""
    note(reason, seconds=round(seconds, 3), about=order)


def reopened(order: Order) -> None:
    """The price moved away from an open order between trigger and swap."""
    note("open again", reason=order.wait_reason, about=order)


def lease_lost(order: Order) -> None:
    """Another writer moved an order that this worker had leased: another worker, or a cancel."""
    note("lease lost", metrics.LEASES_LOST.of(), level=logging.WARNING, about=order)


def overtaken(order: Order) -> None:
    """Another writer moved the order before this worker could lease it."""
    note("another worker moved the order", about=order)


def message_outdated(order: Order) -> None:
    """The message has an earlier state of the order than the table."""
    note("the message is stale", about=order)


def not_found(order_id: str) -> None:
    note("order not found", level=logging.WARNING, orderId=order_id)


# --- end --------------------------------------------------------------------------------------------------


def ended(order: Order) -> None:
    """The terminal event is stored."""
    status, last = order.current_status, order.events[-1]
    counted = [metrics.ORDERS_ENDED.of(part=status.value)]
    if status is Status.CONFIRMED:
        counted.append(_last_stage(order))
    if status is Status.FAILED and order.fail_code:
        counted.append(metrics.ORDERS_FAILED.of(part=order.fail_code.value))
    if order.spec.type is OrderType.MARKET:
        counted.append(metrics.ORDER_TIME.of(milliseconds(last.at - order.events[0].at)))
    note("ended", *counted, attempts=order.attempts, seq=order.seq, about=order)


def message_dead(order: Order) -> None:
    """The order's message went to the dead-letter queue."""
    status = order.current_status.value
    note("the order's message is a dead letter", level=logging.ERROR, status=status, about=order)


def history_failed(order: Order) -> None:
    """The exception being handled kept the order from the history. The watchdog retries."""
    text = "history not recorded; the watchdog will retry"
    note(text, metrics.HISTORY_FAILED.of(), level=logging.ERROR, caught=True, about=order)


def resent(order: Order) -> None:
    """The watchdog queued an overdue order again."""
    status = order.current_status.value
    note("overdue order sent again", metrics.ORDERS_RESENT.of(), level=logging.WARNING, status=status, about=order)


# --- stages -----------------------------------------------------------------------------------------------


def _routing(leased_at: datetime, until: datetime) -> Measured:
    """The time since the lease, with which each attempt begins to route.

    The events cannot tell it: that of a further attempt is from before its backoff, and a worker that was lost leaves
    those of its own routing.
    """
    return metrics.STAGE_TIME.of(milliseconds(until - leased_at), Status.ROUTING.value)


def _last_stage(order: Order) -> Measured:
    """The time of the stage of building or sending that the order's last event ended."""
    last = order.events[-1]
    before = next(event.status for event in reversed(order.events) if event.status is not last.status)
    return _stage(order, before, last.at)


def _stage(order: Order, status: Status, until: datetime) -> Measured:
    """The time since the last event with this status, with which its stage begins."""
    began = next(event.at for event in reversed(order.events) if event.status is status)
    return metrics.STAGE_TIME.of(milliseconds(until - began), status.value)
