"""What the queue has given up on: the order is closed as failed, unless its swap landed after all."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.codec.messages import PoisonMessageError
from chalicelib.codec.times import to_ms
from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.rate_limit import MINUTE_MS
from chalicelib.domain.status import Status
from chalicelib.ports.orders import LostRaceError, OrderStore, StoredOrder
from chalicelib.ports.queues import OrderQueue
from chalicelib.ports.venues import Ledger
from chalicelib.services.orders.execution_events import confirmation_meta, failure_meta
from chalicelib.services.orders.finalize import FinalizeOrder
from chalicelib.services.orders.lease import BEGINNING

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CloseDeadLetter:
    orders: OrderStore
    queue: OrderQueue
    ledger: Ledger
    finish: FinalizeOrder
    now: Callable[[], datetime]

    def __call__(self, message: StoredOrder) -> float | None:
        """Close the order of a dead letter. Returns ``None``, or in how many seconds to try again.

        :raises PoisonMessageError: if there is no such order.
        """
        stored = self.orders.get(message.order.order_id)
        if stored is None:
            raise PoisonMessageError(f"a dead letter of an unknown order, {message.order.order_id}")
        reservation, now_ms = stored.reservation, to_ms(self.now())
        if stored.order.status is Status.OPEN:
            # The letter is of a time before it waited (again).
            return None
        if stored.order.status in BEGINNING and reservation and now_ms < reservation.at_ms + MINUTE_MS:
            # It waits for its start, or could have begun only just now: that costs receives too, and is no failure.
            self.queue.send(stored, delay_seconds=reservation.seconds_from(now_ms))
            return None
        if not stored.order.is_terminal:
            # This letter may be a double of a message that is still worked on, or waits for its next attempt.
            left_ms = (stored.deadline_ms or 0) - now_ms
            if left_ms > 0:
                return left_ms / 1000
            try:
                stored = self._close(stored)
            except LostRaceError:
                return 0
        elif stored.deadline_ms is None:
            # A letter is not delivered for ever, so what is left to do does not hang on it.
            stored = replace(stored, deadline_ms=self.finish.due_ms())
            self.orders.set_deadline(stored, stored.deadline_ms)
        self.finish(stored)
        return None

    def _close(self, stored: StoredOrder) -> StoredOrder:
        order = stored.order
        log.error("given up by the queue", extra={"orderId": order.order_id, "status": order.current_status.value})
        fill = None
        if order.status is Status.SUBMITTED:
            fill = self.ledger.settle(order.tx_hash or "", order.order_id, to_ms(self.now()))
        if fill:
            after = order.moved(Status.CONFIRMED, self.now(), confirmation_meta(order, fill))
        else:
            error = AttemptFailedError(FailureCode.QUEUE_EXHAUSTED, "the order could not be processed")
            after = order.moved(Status.FAILED, self.now(), failure_meta(order, error))
        return self.orders.write(stored, after, lease=None, deadline_ms=self.finish.due_ms())
