"""Cancellation: one conditional write, which beats the worker until the worker writes ``submitted``."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.errors import CancelTooLateError, ContendedError, IllegalTransitionError
from chalicelib.domain.events import Cancelled
from chalicelib.domain.identity import Caller, Scope
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.ports.orders import LostRaceError, OrderStore, StoredOrder, UnreadableOrderError
from chalicelib.services.limits.rate_limiter import RateLimiter
from chalicelib.services.orders.finalize import FinalizeOrder
from chalicelib.services.orders.lookup import find_order, user_for
from chalicelib.services.streams.subscriptions import Subscriptions

log = logging.getLogger(__name__)

#: Orders that one request can cancel well within its 29 s.
MAX_CANCEL_BATCH = 200
#: Writes that may lose a race before the cancel gives up. A worker moves an order about ten times in three attempts.
MAX_CANCEL_TRIES = 30


@dataclass(frozen=True, slots=True)
class Cancellations:
    """The outcome of cancelling all orders of a user. ``more``: the user has further orders to cancel."""

    user_id: str
    cancelled: list[Order]
    too_late: list[CancelTooLateError]
    more: bool


@dataclass(frozen=True, slots=True)
class CancelOrder:
    orders: OrderStore
    finalize: FinalizeOrder
    subscriptions: Subscriptions
    rate_limiter: RateLimiter
    now: Callable[[], datetime]

    def __call__(self, caller: Caller, order_id: str) -> Order:
        """The cancelled order; repeating a cancel returns the same.

        :raises OrderNotFoundError: if the caller has no such order.
        :raises CancelTooLateError: if it is ``submitted`` or terminal.
        :raises ContendedError: if other writers won every race.
        """
        for _ in range(MAX_CANCEL_TRIES):
            stored = find_order(caller, self.orders, order_id, Scope.TRADE)
            order = stored.order
            if order.status is Status.CANCELLED:
                return order
            try:
                cancelled = order.after(Cancelled(), self.now())
            except IllegalTransitionError:
                raise CancelTooLateError(order_id, order.current_status, order.seq) from None
            try:
                self._cancel(stored, cancelled)
            except LostRaceError:
                continue
            return cancelled
        raise ContendedError(order_id)

    def all_of(self, caller: Caller, user_id: str | None) -> Cancellations:
        """Cancel the orders of a user (the caller, if none is named), at most ``MAX_CANCEL_BATCH``, newest first."""
        user_id = user_for(caller, user_id, Scope.TRADE)
        cancelled, too_late, is_contended = [], [], False
        # Newest first: only the last reservation of a rate-limit slot can be released.
        newest = self.orders.unfinished_of(user_id)[::-1]
        for order_id in newest[:MAX_CANCEL_BATCH]:
            try:
                cancelled.append(self(caller, order_id))
            except CancelTooLateError as error:
                too_late.append(error)
            except ContendedError:
                # The caller must ask again for this order, as for those beyond the batch.
                is_contended = True
                log.warning("not cancelled", extra={"orderId": order_id})
            except UnreadableOrderError:
                log.exception("not cancelled", extra={"orderId": order_id})
        return Cancellations(user_id, cancelled, too_late, is_contended or len(newest) > MAX_CANCEL_BATCH)

    def _cancel(self, stored: StoredOrder, cancelled: Order) -> None:
        """:raises LostRaceError: if another writer moved the order."""
        order = stored.order
        stored = self.subscriptions.ensure_followers(stored)
        after = self.orders.write(stored, cancelled, lease=None, deadline_ms=self.finalize.due_ms(), over_lease=True)
        log.info("cancelled", extra={"orderId": order.order_id, "was": order.current_status.value})
        if not order.attempts:
            self.rate_limiter.release(stored.reservation)
        # A worker that holds the lease fails at its next write; it then publishes and records the cancel, which keeps
        # the frames in order.
        if stored.lease is None or stored.lease.until_ms < to_ms(self.now()):
            self.finalize(after)
