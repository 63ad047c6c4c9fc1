"""Dead letters: the engine closes an order as failed once its message is a dead letter, unless its swap landed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.errors import OrderNotFoundError
from chalicelib.domain.events import Failed
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.rate_limit import MINUTE_MS
from chalicelib.domain.status import Status
from chalicelib.observability import orders as observe
from chalicelib.ports.orders import LostRaceError, OrderStore, StoredOrder
from chalicelib.ports.queues import OrderQueue
from chalicelib.ports.venues import Ledger
from chalicelib.services.orders.execution_events import confirmation
from chalicelib.services.orders.finalize import FinalizeOrder
from chalicelib.services.orders.lease import QUEUED, startable_ms

_EXHAUSTED = Failure(FailureCode.QUEUE_EXHAUSTED, "the order could not be processed")


@dataclass(frozen=True, slots=True)
class CloseDeadLetter:
    orders: OrderStore
    queue: OrderQueue
    ledger: Ledger
    finalize: FinalizeOrder
    now: Callable[[], datetime]
    min_age_seconds: int

    def __call__(self, message: StoredOrder) -> float | None:
        """Close the order of a dead letter. Returns ``None``, or the seconds after which to try again.

        :raises OrderNotFoundError: if there is no such order.
        """
        stored = self.orders.get(message.order.order_id)
        if stored is None:
            raise OrderNotFoundError(message.order.order_id)
        stored = stored.with_progress_of(message)
        reservation, now_ms = stored.reservation, to_ms(self.now())
        if stored.order.status is Status.OPEN:
            # The letter is older than the order's return to open.
            return None
        if stored.order.status in QUEUED and reservation and now_ms < reservation.at_ms + MINUTE_MS:
            # Still waiting for its rate-limit slot. Waiting consumes receives but is not a failure: queue it again.
            self.queue.send(stored, delay_seconds=reservation.seconds_from(now_ms))
            return None
        if not stored.order.is_terminal:
            if now_ms < startable_ms(stored) + self.min_age_seconds * 1000:
                # Workers that are killed one after another use up all receives within seconds: queue it again.
                self.queue.send(stored)
                return None
            # The letter may duplicate a message that is still in progress. Retry when that one has had its time.
            left_ms = self._given_up_ms(stored) - now_ms
            if left_ms > 0:
                return left_ms / 1000
            try:
                stored = self._close(stored)
            except LostRaceError:
                return 0
        elif stored.deadline_ms is None:
            # The letter may expire before the history is written, so the watchdog gets a deadline for that.
            stored = replace(stored, deadline_ms=self.finalize.due_ms())
            self.orders.set_deadline(stored, stored.deadline_ms)
        self.finalize(stored)
        return None

    def _given_up_ms(self, stored: StoredOrder) -> int:
        """The moment from which no message of the order counts any more: its deadline, or the end of its lease.

        The watchdog moves the deadline whenever it sends the order again, and each time by more. An order on which
        every worker dies would stay active for hours: without an event for some time, its letter waits no longer.
        """
        quiet_ms = to_ms(stored.order.events[-1].at) + 2 * self.min_age_seconds * 1000
        return max(min(stored.deadline_ms or 0, quiet_ms), stored.lease.until_ms if stored.lease else 0)

    def _close(self, stored: StoredOrder) -> StoredOrder:
        order = stored.order
        observe.message_dead(order)
        fill = None
        if order.status is Status.SUBMITTED:
            fill = self.ledger.settle(order.tx_hash or "", order.order_id, to_ms(self.now()))
        after = order.after(confirmation(order, fill) if fill else Failed(_EXHAUSTED), self.now())
        closed = self.orders.write(stored, after, lease=None, deadline_ms=self.finalize.due_ms())
        observe.ended(after)
        return closed
