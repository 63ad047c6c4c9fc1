"""Cancellation: one conditional write, which beats the worker until the worker writes ``submitted``."""

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from chalicelib.codec.times import to_ms
from chalicelib.domain.errors import (
    CancelTooLateError,
    ContendedError,
    IllegalTransitionError,
    OrderNotFoundError,
)
from chalicelib.domain.events import Cancelled
from chalicelib.domain.identity import Caller, Scope
from chalicelib.domain.orders import Order
from chalicelib.domain.rate_limit import SlotReservation
from chalicelib.domain.status import Status
from chalicelib.observability import orders as observe
from chalicelib.observability.context import apart
from chalicelib.ports.orders import LostRaceError, OrderStore, StoredOrder, UnreadableOrderError
from chalicelib.services.limits.rate_limiter import RateLimiter
from chalicelib.services.orders.finalize import FinalizeOrder
from chalicelib.services.orders.lookup import find_order, user_for
from chalicelib.services.streams.subscriptions import Subscriptions
from chalicelib.threads import side_by_side

log = logging.getLogger(__name__)

#: Receives the reservation of a cancelled order that never started, which is ``None`` without a rate limit.
_Release = Callable[[SlotReservation | None], None]

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
    executor: Executor
    now: Callable[[], datetime]

    def __call__(self, caller: Caller, order_id: str) -> Order:
        """The cancelled order; repeating a cancel returns the same.

        :raises OrderNotFoundError: if the caller has no such order.
        :raises CancelTooLateError: if it is ``submitted`` or terminal.
        :raises ContendedError: if other writers won every race.
        """
        return self._one(caller, order_id, self.rate_limiter.release)

    def all_of(self, caller: Caller, user_id: str | None) -> Cancellations:
        """Cancel the orders of a user (the caller, if none is named), at most ``MAX_CANCEL_BATCH``, in parallel.

        The result names them newest first. An error that is not about one order stops those that have not begun.
        """
        user_id = user_for(caller, user_id, Scope.TRADE)
        newest = self.orders.unfinished_of(user_id)[::-1]
        reservations: list[SlotReservation | None] = []
        try:
            attempt = partial(self._attempt, caller, reservations.append)
            outcomes = side_by_side(self.executor, attempt, newest[:MAX_CANCEL_BATCH])
        finally:
            self._release_all(filter(None, reservations))
        cancelled = [outcome for outcome in outcomes if isinstance(outcome, Order)]
        too_late = [outcome for outcome in outcomes if isinstance(outcome, CancelTooLateError)]
        # The caller must ask again for a contended order, as for those beyond the batch.
        more = len(newest) > MAX_CANCEL_BATCH or any(isinstance(outcome, ContendedError) for outcome in outcomes)
        return Cancellations(user_id, cancelled, too_late, more)

    def _attempt(
        self, caller: Caller, release: _Release, order_id: str
    ) -> Order | CancelTooLateError | ContendedError | OrderNotFoundError | UnreadableOrderError:
        """The cancelled order, or why this order could not be cancelled."""
        try:
            with apart():
                return self._one(caller, order_id, release)
        except CancelTooLateError as error:
            return error
        except (ContendedError, OrderNotFoundError, UnreadableOrderError) as error:
            # The index may name an order that the table no longer has.
            log.warning("not cancelled", extra={"orderId": order_id}, exc_info=error)
            return error

    def _release_all(self, reservations: Iterable[SlotReservation]) -> None:
        """Release the reservations of each slot, the last one first: no other can be given back."""
        by_slot: dict[int, list[SlotReservation]] = {}
        for reservation in sorted(reservations, key=lambda one: one.at_ms, reverse=True):
            by_slot.setdefault(reservation.slot, []).append(reservation)
        side_by_side(self.executor, self._release_slot, by_slot.values())

    def _release_slot(self, reservations: Iterable[SlotReservation]) -> None:
        for reservation in reservations:
            self.rate_limiter.release(reservation)

    def _one(self, caller: Caller, order_id: str, release: _Release) -> Order:
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
                self._cancel(stored, cancelled, release)
            except LostRaceError:
                continue
            return cancelled
        raise ContendedError(order_id)

    def _cancel(self, stored: StoredOrder, cancelled: Order, release: _Release) -> None:
        """:raises LostRaceError: if another writer moved the order."""
        order = stored.order
        stored = self.subscriptions.ensure_followers(stored)
        after = self.orders.write(stored, cancelled, lease=None, deadline_ms=self.finalize.due_ms(), over_lease=True)
        observe.ended(cancelled)
        if not order.attempts:
            release(stored.reservation)
        # A worker that holds the lease fails at its next write; it then publishes and records the cancel, which keeps
        # the frames in order.
        if stored.lease is None or stored.lease.until_ms < to_ms(self.now()):
            self.finalize(after)
