"""The events of requests, queues, looks and the market, as an operator sees them."""

import logging
from collections.abc import Sequence

from chalicelib.domain.conditions import Launch
from chalicelib.domain.orders import Order
from chalicelib.observability import metrics
from chalicelib.observability.lines import note
from chalicelib.observability.metrics import Measured


def request_answered(method: str, path: str, status: int) -> None:
    note(f"{method} {path} {status}")


def message_failed() -> None:
    """The exception being handled failed a message, which goes back to its queue."""
    note("message failed", metrics.MESSAGES_FAILED.of(), level=logging.ERROR, caught=True)


def message_poisoned(body: str) -> None:
    """A message can never be processed, so it goes to the dead-letter queue."""
    note("poison message", metrics.MESSAGES_FAILED.of(), level=logging.ERROR, caught=True, body=body[:500])


def letter_kept() -> None:
    """A dead letter names no order that could be closed, so an operator must look at it."""
    note("unprocessable dead letter", level=logging.ERROR, caught=True)


def look_skipped(kind: str, late_ms: int) -> None:
    note("late look skipped", metrics.LOOKS_SKIPPED.of(), level=logging.WARNING, kind=kind, lateMs=late_ms)


def watchdog_finished(moved: int, overdue: int) -> None:
    """A look of the watchdog found orders to move on; ``overdue`` of them should have moved by themselves."""
    counted = [metrics.ORDERS_OVERDUE.of(overdue)] if overdue else []
    note("watchdog finished", *counted, moved=moved)


def gauges_read(history_lag: int, lag_seconds: float, slots_in_use: int) -> None:
    """The states that one look a minute reads. A metric of value 0 would cost money on an idle stack."""
    counted: Sequence[Measured] = [
        metrics.HISTORY_LAG.of(history_lag),
        metrics.HISTORY_LAG_SECONDS.of(round(lag_seconds, 1)),
        metrics.SLOTS_IN_USE.of(slots_in_use),
    ]
    if present := [one for one in counted if one.value > 0]:
        note("gauges", *present)


def launched(launch: Launch) -> None:
    note("launched", mint=launch.mint, venue=launch.venue)


def pool_unavailable(order: Order, mint: str) -> None:
    """The venue of a launch cannot show its pool now, so an order has no answer yet."""
    note("pool unavailable; the next look will retry", level=logging.WARNING, mint=mint, about=order)


def market_watched(triggered: int) -> None:
    note("market watched", triggered=triggered)
