"""What the queue has given up on: the order is closed as failed, unless its swap landed after all."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.rate import MINUTE_MS
from chalicelib.domain.status import Status
from chalicelib.encoding.times import to_ms
from chalicelib.messaging.messages import PoisonMessageError
from chalicelib.ports import LostRaceError, OrderQueue, OrderStore, Tracked
from chalicelib.routing.venue import Ledger
from chalicelib.services.claim import BEGINNING
from chalicelib.services.finish import FinishOrder
from chalicelib.services.outcomes import confirmation_meta, failure_meta

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CloseDeadLetter:
    orders: OrderStore
    queue: OrderQueue
    ledger: Ledger
    finish: FinishOrder
    now: Callable[[], datetime]

    def __call__(self, message: Tracked) -> float | None:
        """Close the order of a dead letter. Returns ``None``, or in how many seconds to try again.

        :raises PoisonMessageError: if there is no such order.
        """
        tracked = self.orders.get(message.order.order_id)
        if tracked is None:
            raise PoisonMessageError(f"a dead letter of an unknown order, {message.order.order_id}")
        booking, now_ms = tracked.booking, to_ms(self.now())
        if tracked.order.status is Status.OPEN:
            # The letter is of a time before it waited (again).
            return None
        if tracked.order.status in BEGINNING and booking and now_ms < booking.at_ms + MINUTE_MS:
            # It waits for its start, or could have begun only just now: that costs receives too, and is no failure.
            self.queue.send(tracked, delay_seconds=booking.seconds_from(now_ms))
            return None
        if not tracked.order.is_terminal:
            # This letter may be a double of a message that is still worked on, or waits for its next attempt.
            left_ms = (tracked.attention_at_ms or 0) - now_ms
            if left_ms > 0:
                return left_ms / 1000
            try:
                tracked = self._close(tracked)
            except LostRaceError:
                return 0
        elif tracked.attention_at_ms is None:
            # A letter is not delivered for ever, so what is left to do does not hang on it.
            tracked = replace(tracked, attention_at_ms=self.finish.due_ms())
            self.orders.set_attention(tracked, tracked.attention_at_ms)
        self.finish(tracked)
        return None

    def _close(self, tracked: Tracked) -> Tracked:
        order = tracked.order
        log.error("given up by the queue", extra={"orderId": order.order_id, "status": order.standing.value})
        fill = None
        if order.status is Status.SUBMITTED:
            fill = self.ledger.settle(order.tx_hash or "", order.order_id, to_ms(self.now()))
        if fill:
            after = order.moved(Status.CONFIRMED, self.now(), confirmation_meta(order, fill))
        else:
            error = AttemptFailedError(FailureCode.QUEUE_EXHAUSTED, "the order could not be processed")
            after = order.moved(Status.FAILED, self.now(), failure_meta(order, error))
        return self.orders.write(tracked, after, lease=None, attention_at_ms=self.finish.due_ms())
