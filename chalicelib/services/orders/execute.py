"""Executing an order: claim it, route it, build and send the swap, and say how it ended.

Each step is one conditional write that appends its events, then a push to the sockets. The transaction's
signature is written before it is sent; whoever finds an order ``submitted`` asks the ledger about that signature
before anything else, so that a worker may die at any line and no swap happens twice.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.money import to_human_units
from chalicelib.domain.orders import Order
from chalicelib.domain.retry import backoff_seconds
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.swaps import Fill, Transaction
from chalicelib.ports.orders import Lease, LostRaceError, OrderStore, StoredOrder
from chalicelib.ports.venues import Ledger
from chalicelib.routing.router import Router
from chalicelib.services.limits.rate_limiter import LaterError
from chalicelib.services.market.open_orders import OpenOrders
from chalicelib.services.orders.execution_events import (
    confirmation_meta,
    failure_meta,
    guaranteed_min_output,
    min_acceptable_output,
    missed,
    request_of,
)
from chalicelib.services.orders.finalize import FinalizeOrder
from chalicelib.services.orders.lease import LeaseOrder
from chalicelib.services.streams.publisher import Publisher

log = logging.getLogger(__name__)


#: What says of a limit order that its price left. As a price falls, so does what a pool can take of its quote token.
_LEFT = frozenset({FailureCode.SLIPPAGE_EXCEEDED, FailureCode.PRICE_IMPACT_TOO_HIGH})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long; seconds."""

    max_attempts: int
    backoff_base: float
    backoff_cap: float
    deadline_grace: int


@dataclass(frozen=True, slots=True)
class ExecuteOrder:
    orders: OrderStore
    claim: LeaseOrder
    router: Router
    ledger: Ledger
    publisher: Publisher
    finish: FinalizeOrder
    open_orders: OpenOrders
    now: Callable[[], datetime]
    uniform: Callable[[float, float], float]
    timing: RetryPolicy

    def __call__(self, message: StoredOrder, owner: str, hold: Callable[[int], None]) -> float | None:
        """Work on the order of a message as the lease owner ``owner``.

        ``hold`` keeps the message from being delivered again for some seconds. Returns ``None`` when the message
        is done with, or in how many seconds it should be delivered again.
        """
        # Before anything is written: a worker lost from here on is followed by another after a lease's time.
        hold(self.claim.lease_seconds)
        try:
            stored = self.claim(message, owner)
            if stored is None:
                log.warning("no such order", extra={"orderId": message.order.order_id})
                return None
            if stored.order.is_terminal:
                self.finish(stored)
                return None
            if stored.order.status is Status.OPEN:
                # The message is of a time before it waited (again).
                return None
            return self._work(stored)
        except LaterError as later:
            log.info(str(later), extra={"orderId": message.order.order_id})
            return later.seconds
        except LostRaceError:
            return self._overtaken(message)
        except _OvertakenError as overtaken:
            return self._overtaken(overtaken.stored)

    def _overtaken(self, known: StoredOrder) -> float | None:
        """Somebody else moved the order: works on it, or cancelled it, which is for us to tell."""
        found = self.orders.get(known.order.order_id)
        if found and found.order.status is Status.OPEN:
            return None
        if found is None or not found.order.is_terminal:
            log.info("the order moved on meanwhile", extra={"orderId": known.order.order_id})
            return self.claim.lease_seconds
        self.finish(replace(found, published=max(found.published, known.published)))
        return None

    def _work(self, stored: StoredOrder) -> float | None:
        try:
            if stored.order.status is Status.SUBMITTED:
                stored, fill = self._recover(stored)
            else:
                stored, fill = self._attempt(stored)
        except _AttemptEndedError as ended:
            return self._after_failure(ended.stored, ended.error)
        except _TimeUpError as ended:
            self._missed(ended.stored, None)
            return None
        self._confirm(stored, fill)
        return None

    def _attempt(self, stored: StoredOrder) -> tuple[StoredOrder, Fill]:
        self._expect_time(stored)
        stored, transaction = self._build(stored)
        quote = transaction.quote
        self._expect_time(stored)
        sending = stored.order.moved(
            Status.SUBMITTED, self.now(), {"dex": quote.venue, "txHash": transaction.signature}
        )
        stored = self._move(stored, sending)
        try:
            return stored, self.router.venue(quote.venue).send(transaction)
        except AttemptFailedError as error:
            return stored, self._settle(stored, error)

    def _expect_time(self, stored: StoredOrder) -> None:
        """:raises _TimeUpError: what was not sent by then is not sent any more."""
        if stored.order.is_expired(self.now()):
            raise _TimeUpError(stored)

    def _build(self, stored: StoredOrder) -> tuple[StoredOrder, Transaction]:
        """Quote, choose, and build the transaction; the decision is kept even where it fails the minimum."""
        order = stored.order
        try:
            route = self.router.route(request_of(order), guaranteed_min_output(order))
        except AttemptFailedError as error:
            raise _AttemptEndedError(stored, error) from error
        quote = route.chosen
        log.info(
            "routed",
            extra={
                "orderId": order.order_id,
                "dex": quote.venue,
                "reason": route.reason,
                "degraded": route.degraded,
            },
        )
        routed = order.moved(Status.ROUTING, self.now(), route.as_meta())
        minimum = min_acceptable_output(order, quote.amount_out)
        if quote.amount_out < minimum:
            stored = self._move(stored, routed)
            reason = "every venue would return less than the minimum output"
            raise _AttemptEndedError(stored, AttemptFailedError(FailureCode.SLIPPAGE_EXCEEDED, reason))
        transaction = self.router.venue(quote.venue).build(quote, minimum)
        meta = {
            "dex": quote.venue,
            "minAmountOut": to_human_units(minimum, order.spec.token_out.decimals),
            "minAmountOutBase": str(minimum),
            "steps": list(transaction.steps),
        }
        return self._move(stored, routed.moved(Status.BUILDING, self.now(), meta)), transaction

    def _recover(self, stored: StoredOrder) -> tuple[StoredOrder, Fill]:
        log.warning("asking the ledger how a sent swap ended", extra={"orderId": stored.order.order_id})
        lost = AttemptFailedError(FailureCode.TX_DROPPED, "the swap had not landed when its worker was lost")
        return stored, self._settle(stored, lost)

    def _settle(self, stored: StoredOrder, error: AttemptFailedError) -> Fill:
        """The fill of a swap that landed after all; else its signature is void and the attempt is over."""
        order = stored.order
        fill = self.ledger.settle(order.tx_hash or "", order.order_id, to_ms(self.now()))
        if fill is None:
            raise _AttemptEndedError(stored, error) from error
        return fill

    def _after_failure(self, stored: StoredOrder, error: AttemptFailedError) -> float | None:
        order = stored.order
        log.warning(
            "attempt failed",
            extra={
                "orderId": order.order_id,
                "attempt": order.attempts,
                "code": error.code.value,
                "reason": error.reason,
            },
        )
        over = not error.retryable or order.attempts >= self.timing.max_attempts
        if order.is_expired(self.now()) or _misses(order, error, over=over):
            self._missed(stored, error)
            return None
        if over:
            self.finish(self._end(stored, order.moved(Status.FAILED, self.now(), failure_meta(order, error))))
            return None
        seconds = backoff_seconds(order.attempts, self.timing.backoff_base, self.timing.backoff_cap, self.uniform)
        last = {"code": error.code.value, "reason": error.reason}
        again = order.moved(Status.ROUTING, self.now(), {"lastError": last}, next_attempt=True)
        stored = self._move(stored, again)
        # Its subscribers told, the order waits in the queue without a lease.
        deadline_ms = to_ms(self.now()) + int((seconds + self.timing.deadline_grace) * 1000)
        self._write(stored, again, None, deadline_ms)
        return seconds

    def _missed(self, stored: StoredOrder, error: AttemptFailedError | None) -> None:
        """The price left: the order waits again, of which no attempt is used. Or its time is up."""
        after = missed(stored.order, error, self.now())
        if after.is_terminal:
            self.finish(self._end(stored, after))
        else:
            self.open_orders.keep(self._write(stored, after, None, self.open_orders.due_ms(after)))

    def _confirm(self, stored: StoredOrder, fill: Fill) -> None:
        order = stored.order
        self.finish(self._end(stored, order.moved(Status.CONFIRMED, self.now(), confirmation_meta(order, fill))))

    def _move(self, stored: StoredOrder, after: Order) -> StoredOrder:
        """The next step of an order whose lease we hold."""
        return self.publisher.publish(self._write(stored, after, stored.lease, stored.deadline_ms))

    def _end(self, stored: StoredOrder, after: Order) -> StoredOrder:
        """The terminal write. It clears the attention: the message in hand stands for what is left to do."""
        return self._write(stored, after, None, None)

    def _write(self, stored: StoredOrder, after: Order, lease: Lease | None, deadline_ms: int | None) -> StoredOrder:
        try:
            return self.orders.write(stored, after, lease=lease, deadline_ms=deadline_ms)
        except LostRaceError as error:
            raise _OvertakenError(stored) from error


def _misses(order: Order, error: AttemptFailedError, *, over: bool) -> bool:
    """Whether a limit order waits on after this; one that does not wait expires, and does not fail, in the end."""
    limit = order.spec.type is OrderType.LIMIT
    return limit and (error.code in _LEFT or (over and order.spec.time_in_force is TimeInForce.IOC))


class _TimeUpError(Exception):
    """The order's time is up, and nothing of it can land any more."""

    def __init__(self, stored: StoredOrder) -> None:
        super().__init__(stored.order.order_id)
        self.stored = stored


class _AttemptEndedError(Exception):
    """An attempt failed for good and nothing of it can land any more; ``stored`` is where the order stands."""

    def __init__(self, stored: StoredOrder, error: AttemptFailedError) -> None:
        super().__init__(str(error))
        self.stored = stored
        self.error = error


class _OvertakenError(Exception):
    """Somebody else has moved the order since ``stored``."""

    def __init__(self, stored: StoredOrder) -> None:
        super().__init__(stored.order.order_id)
        self.stored = stored
