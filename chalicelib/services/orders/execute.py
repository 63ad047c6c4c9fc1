"""Execution of an order: lease it, route it, build and send the swap, and record the outcome.

Each step is one conditional write that appends its events, then a push to the sockets. The processor writes the
transaction's signature before it sends the transaction. A worker that takes up a ``submitted`` order asks the ledger
about that signature first, so a worker may die at any line and no swap happens twice.
"""

from collections.abc import Callable
from concurrent.futures import Executor, wait
from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.errors import ContendedError
from chalicelib.domain.events import AttemptStarted, Failed
from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.orders import Order
from chalicelib.domain.retry import backoff_seconds
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.swaps import Fill
from chalicelib.observability import orders as observe
from chalicelib.ports.orders import LostRaceError, OrderStore, StoredOrder
from chalicelib.services.limits.rate_limiter import LaterError
from chalicelib.services.market.open_orders import OpenOrders
from chalicelib.services.orders.attempt import AttemptEndedError, OvertakenError, RunAttempt, TimeUpError
from chalicelib.services.orders.execution_events import after_missed_trigger, confirmation
from chalicelib.services.orders.finalize import FinalizeOrder
from chalicelib.services.orders.lease import LeaseOrder, leased_at
from chalicelib.services.streams.order_stream import OrderStream
from chalicelib.services.streams.publisher import Publisher

#: Failures that mean "the price moved away" for a limit order. A falling price also shrinks what a pool can take of
#: its quote token, so its impact limit counts too.
_PRICE_MOVED_AWAY = frozenset({FailureCode.SLIPPAGE_EXCEEDED, FailureCode.PRICE_IMPACT_TOO_HIGH})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How many attempts an order has, and the bounds of the backoff between them in seconds."""

    max_attempts: int
    backoff_base: float
    backoff_cap: float
    deadline_grace: int


@dataclass(frozen=True, slots=True)
class ExecuteOrder:
    orders: OrderStore
    lease: LeaseOrder
    attempt: RunAttempt
    finalize: FinalizeOrder
    open_orders: OpenOrders
    publisher: Publisher
    executor: Executor
    now: Callable[[], datetime]
    uniform: Callable[[float, float], float]
    retry: RetryPolicy

    def __call__(self, message: StoredOrder, owner: str, hold: Callable[[int], None]) -> float | None:
        """Execute the order of a message as the lease owner ``owner``.

        ``hold`` keeps the queue from delivering the message again for some seconds. Returns ``None`` when the message
        is done, or the seconds after which the queue should deliver it again.
        """
        # If this worker dies, the queue brings the order to another once the lease has ended. The lease may begin a
        # moment after this, and a message that came before its end would use up a receive in vain.
        held = self.executor.submit(hold, self.lease.lease_seconds + 1)
        stream = OrderStream(self.publisher, self.executor)
        try:
            return self._execute(message, owner, stream)
        finally:
            # Neither may go on after the invocation, nor after the next hold of this message.
            wait([held])
            stream.wait()

    def _execute(self, message: StoredOrder, owner: str, stream: OrderStream) -> float | None:
        try:
            stored = self.lease(message, owner, stream)
            if stored is None:
                observe.not_found(message.order.order_id)
                return None
            if stored.order.is_terminal:
                self.finalize(stored, stream)
                return None
            if stored.order.status is Status.OPEN:
                # The message is older than the order's return to open.
                return None
            return self._work(stored, stream)
        except LaterError as later:
            observe.waits(message.order, str(later), later.seconds)
            return later.seconds
        except ContendedError:
            observe.waits(message.order, "rate limit slots are contended", self.lease.lease_seconds)
            return self.lease.lease_seconds
        except LostRaceError:
            return self._overtaken(message, stream)
        except OvertakenError as overtaken:
            observe.lease_lost(overtaken.stored.order)
            return self._overtaken(overtaken.stored, stream)

    def _overtaken(self, last_seen: StoredOrder, stream: OrderStream) -> float | None:
        """Another writer moved the order: another worker, or a cancel that this worker has to publish."""
        current = self.orders.get(last_seen.order.order_id)
        if current and current.order.status is Status.OPEN:
            return None
        if current is None or not current.order.is_terminal:
            observe.overtaken(last_seen.order)
            return self.lease.lease_seconds
        self.finalize(current.with_progress_of(last_seen), stream)
        return None

    def _work(self, stored: StoredOrder, stream: OrderStream) -> float | None:
        try:
            stored, fill = self.attempt(stored, stream)
        except AttemptEndedError as ended:
            return self._after_failure(ended.stored, ended.error, stream)
        except TimeUpError as ended:
            self._miss(ended.stored, None, stream)
            return None
        self._confirm(stored, fill, stream)
        return None

    def _after_failure(self, stored: StoredOrder, error: AttemptFailedError, stream: OrderStream) -> float | None:
        order = stored.order
        observe.attempt_failed(order, error, leased_at(stored, self.lease.lease_seconds), self.now())
        is_last = not error.retryable or order.attempts >= self.retry.max_attempts
        if order.is_expired(self.now()) or _price_moved_away(order, error, is_last=is_last):
            self._miss(stored, error, stream)
            return None
        if is_last:
            self.finalize(self._end(stored, order.after(Failed(error.failure), self.now())), stream)
            return None
        seconds = backoff_seconds(order.attempts, self.retry.backoff_base, self.retry.backoff_cap, self.uniform)
        retried = order.after(AttemptStarted(error.failure), self.now(), next_attempt=True)
        stored = stream.flush(self.attempt.move(stored, retried, stream))
        # The subscribers have the event; the order now waits in the queue without a lease.
        deadline_ms = to_ms(self.now()) + int((seconds + self.retry.deadline_grace) * 1000)
        self.attempt.write(stored, retried, None, deadline_ms)
        return seconds

    def _miss(self, stored: StoredOrder, error: AttemptFailedError | None, stream: OrderStream) -> None:
        """Reopen an order whose price moved away, which uses no attempt; or end an order whose time is up."""
        after = after_missed_trigger(stored.order, error, self.now())
        if after.is_terminal:
            self.finalize(self._end(stored, after), stream)
        else:
            reopened = self.attempt.write(stored, after, None, self.open_orders.due_ms(after))
            observe.reopened(after)
            self.open_orders.keep(stream.flush(reopened))

    def _confirm(self, stored: StoredOrder, fill: Fill, stream: OrderStream) -> None:
        order = stored.order
        self.finalize(self._end(stored, order.after(confirmation(order, fill), self.now())), stream)

    def _end(self, stored: StoredOrder, after: Order) -> StoredOrder:
        """The terminal write. It clears the deadline: the queue keeps the message until the history is stored."""
        ended = self.attempt.write(stored, after, None, None)
        observe.ended(after)
        return ended


def _price_moved_away(order: Order, error: AttemptFailedError, *, is_last: bool) -> bool:
    """True if a limit order reopens after this failure. An IOC order expires after its last attempt, never fails."""
    if order.spec.type is not OrderType.LIMIT:
        return False
    missed = error.code in _PRICE_MOVED_AWAY
    return missed or (is_last and order.spec.time_in_force is TimeInForce.IOC)
