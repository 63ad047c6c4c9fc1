"""Cancelling: one conditional write, which wins over whoever works on the order until its transaction is sent."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.errors import CancelTooLateError, IllegalTransitionError
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.ports.orders import LostRaceError, OrderStore, UnreadableOrderError
from chalicelib.services.limits.rate_limiter import RateLimiter
from chalicelib.services.orders.finalize import FinalizeOrder
from chalicelib.services.orders.lookup import find_order
from chalicelib.services.streams.subscriptions import Subscriptions

log = logging.getLogger(__name__)

#: So many are cancelled well within a request's time.
MOST = 200


@dataclass(frozen=True, slots=True)
class CancelOrder:
    orders: OrderStore
    finish: FinalizeOrder
    subscriptions: Subscriptions
    starts: RateLimiter
    now: Callable[[], datetime]

    def __call__(self, order_id: str) -> Order:
        """The order as it was cancelled, now or by an earlier request.

        :raises OrderNotFoundError: if there is no such order.
        :raises CancelTooLateError: if its transaction was sent, or it is over already.
        """
        while True:
            stored = find_order(self.orders, order_id)
            order = stored.order
            if order.status is Status.CANCELLED:
                return order
            try:
                cancelled = order.moved(Status.CANCELLED, self.now())
            except IllegalTransitionError:
                raise CancelTooLateError(order_id, order.current_status.value, order.seq) from None
            if not stored.published:
                # Who accepts it may not have got to its user's followers, and after this nobody else would.
                self.subscriptions.tell_followers_later(order_id)
            try:
                after = self.orders.write(
                    stored, cancelled, lease=None, deadline_ms=self.finish.due_ms(), over_lease=True
                )
            except LostRaceError:
                # It took a step meanwhile, and an order has only so many.
                continue
            log.info("cancelled", extra={"orderId": order_id, "was": order.current_status.value})
            if not order.attempts:
                self.starts.give_back(stored.reservation)
            # A worker may be telling of the step before. It finds the order cancelled at its next one, and goes on.
            if stored.lease is None or stored.lease.until_ms < to_ms(self.now()):
                self.finish(after)
            return cancelled

    def all_of(self, user_id: str) -> tuple[list[Order], list[CancelTooLateError], bool]:
        """Cancel a user's orders that are not over, at most ``MOST`` of them, the newest first.

        Returns those cancelled, those for which it was too late, and whether there are more to ask for.
        """
        cancelled, too_late = [], []
        # Of the starts that are booked one after the other in a slot, only the last can be given back.
        newest = self.orders.unfinished_of(user_id)[::-1]
        for order_id in newest[:MOST]:
            try:
                cancelled.append(self(order_id))
            except CancelTooLateError as error:
                too_late.append(error)
            except UnreadableOrderError:
                log.exception("not cancelled, as it cannot be read", extra={"orderId": order_id})
        return cancelled, too_late, len(newest) > MOST
