"""Executing an order: claim it, route it, build and send the swap, and say how it ended.

Each step is one conditional write that appends its events, then a push to the sockets. The transaction's
signature is written before it is sent; whoever finds an order ``submitted`` asks the ledger about that signature
before anything else, so that a worker may die at any line and no swap happens twice.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.money import to_human_units
from chalicelib.domain.orders import Order
from chalicelib.domain.retry import backoff_seconds
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.terms import TimeInForce
from chalicelib.encoding.times import to_ms
from chalicelib.ports import Lease, LostRaceError, OrderStore, Tracked
from chalicelib.routing.router import Router
from chalicelib.routing.venue import Fill, Ledger, Transaction
from chalicelib.services.claim import ClaimOrder
from chalicelib.services.finish import FinishOrder
from chalicelib.services.outcomes import (
    confirmation_meta,
    failure_meta,
    least_acceptable,
    missed,
    promised,
    request_of,
)
from chalicelib.services.publish import Publisher
from chalicelib.services.starts import LaterError
from chalicelib.services.waiting import OpenOrders

log = logging.getLogger(__name__)


#: What says of a limit order that its price left. As a price falls, so does what a pool can take of its quote token.
_LEFT = frozenset({FailureCode.SLIPPAGE_EXCEEDED, FailureCode.PRICE_IMPACT_TOO_HIGH})


@dataclass(frozen=True, slots=True)
class Timing:
    """How often and how long; seconds."""

    max_attempts: int
    backoff_base: float
    backoff_cap: float
    attention_slack: int


@dataclass(frozen=True, slots=True)
class ExecuteOrder:
    orders: OrderStore
    claim: ClaimOrder
    router: Router
    ledger: Ledger
    publisher: Publisher
    finish: FinishOrder
    open_orders: OpenOrders
    now: Callable[[], datetime]
    uniform: Callable[[float, float], float]
    timing: Timing

    def __call__(self, message: Tracked, owner: str, hold: Callable[[int], None]) -> float | None:
        """Work on the order of a message as the lease owner ``owner``.

        ``hold`` keeps the message from being delivered again for some seconds. Returns ``None`` when the message
        is done with, or in how many seconds it should be delivered again.
        """
        # Before anything is written: a worker lost from here on is followed by another after a lease's time.
        hold(self.claim.lease_seconds)
        try:
            tracked = self.claim(message, owner)
            if tracked is None:
                log.warning("no such order", extra={"orderId": message.order.order_id})
                return None
            if tracked.order.is_terminal:
                self.finish(tracked)
                return None
            if tracked.order.status is Status.OPEN:
                # The message is of a time before it waited (again).
                return None
            return self._work(tracked)
        except LaterError as later:
            log.info(str(later), extra={"orderId": message.order.order_id})
            return later.seconds
        except LostRaceError:
            return self._overtaken(message)
        except _OvertakenError as overtaken:
            return self._overtaken(overtaken.tracked)

    def _overtaken(self, known: Tracked) -> float | None:
        """Somebody else moved the order: works on it, or cancelled it, which is for us to tell."""
        found = self.orders.get(known.order.order_id)
        if found and found.order.status is Status.OPEN:
            return None
        if found is None or not found.order.is_terminal:
            log.info("the order moved on meanwhile", extra={"orderId": known.order.order_id})
            return self.claim.lease_seconds
        self.finish(replace(found, published=max(found.published, known.published)))
        return None

    def _work(self, tracked: Tracked) -> float | None:
        try:
            if tracked.order.status is Status.SUBMITTED:
                tracked, fill = self._recover(tracked)
            else:
                tracked, fill = self._attempt(tracked)
        except _AttemptEndedError as ended:
            return self._after_failure(ended.tracked, ended.error)
        except _TimeUpError as ended:
            self._missed(ended.tracked, None)
            return None
        self._confirm(tracked, fill)
        return None

    def _attempt(self, tracked: Tracked) -> tuple[Tracked, Fill]:
        self._expect_time(tracked)
        tracked, transaction = self._build(tracked)
        quote = transaction.quote
        self._expect_time(tracked)
        sending = tracked.order.moved(
            Status.SUBMITTED, self.now(), {"dex": quote.venue, "txHash": transaction.signature}
        )
        tracked = self._move(tracked, sending)
        try:
            return tracked, self.router.venue(quote.venue).send(transaction)
        except AttemptFailedError as error:
            return tracked, self._settle(tracked, error)

    def _expect_time(self, tracked: Tracked) -> None:
        """:raises _TimeUpError: what was not sent by then is not sent any more."""
        if tracked.order.is_expired(self.now()):
            raise _TimeUpError(tracked)

    def _build(self, tracked: Tracked) -> tuple[Tracked, Transaction]:
        """Quote, choose, and build the transaction; the decision is kept even where it fails the minimum."""
        order = tracked.order
        try:
            route = self.router.route(request_of(order), promised(order))
        except AttemptFailedError as error:
            raise _AttemptEndedError(tracked, error) from error
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
        minimum = least_acceptable(order, quote.amount_out)
        if quote.amount_out < minimum:
            tracked = self._move(tracked, routed)
            reason = "every venue would return less than the minimum output"
            raise _AttemptEndedError(tracked, AttemptFailedError(FailureCode.SLIPPAGE_EXCEEDED, reason))
        transaction = self.router.venue(quote.venue).build(quote, minimum)
        meta = {
            "dex": quote.venue,
            "minAmountOut": to_human_units(minimum, order.spec.token_out.decimals),
            "minAmountOutBase": str(minimum),
            "steps": list(transaction.steps),
        }
        return self._move(tracked, routed.moved(Status.BUILDING, self.now(), meta)), transaction

    def _recover(self, tracked: Tracked) -> tuple[Tracked, Fill]:
        log.warning("asking the ledger how a sent swap ended", extra={"orderId": tracked.order.order_id})
        lost = AttemptFailedError(FailureCode.TX_DROPPED, "the swap had not landed when its worker was lost")
        return tracked, self._settle(tracked, lost)

    def _settle(self, tracked: Tracked, error: AttemptFailedError) -> Fill:
        """The fill of a swap that landed after all; else its signature is void and the attempt is over."""
        order = tracked.order
        fill = self.ledger.settle(order.tx_hash or "", order.order_id, to_ms(self.now()))
        if fill is None:
            raise _AttemptEndedError(tracked, error) from error
        return fill

    def _after_failure(self, tracked: Tracked, error: AttemptFailedError) -> float | None:
        order = tracked.order
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
            self._missed(tracked, error)
            return None
        if over:
            self.finish(self._end(tracked, order.moved(Status.FAILED, self.now(), failure_meta(order, error))))
            return None
        seconds = backoff_seconds(order.attempts, self.timing.backoff_base, self.timing.backoff_cap, self.uniform)
        last = {"code": error.code.value, "reason": error.reason}
        again = order.moved(Status.ROUTING, self.now(), {"lastError": last}, next_attempt=True)
        tracked = self._move(tracked, again)
        # Its subscribers told, the order waits in the queue without a lease.
        attention_at_ms = to_ms(self.now()) + int((seconds + self.timing.attention_slack) * 1000)
        self._write(tracked, again, None, attention_at_ms)
        return seconds

    def _missed(self, tracked: Tracked, error: AttemptFailedError | None) -> None:
        """The price left: the order waits again, of which no attempt is used. Or its time is up."""
        after = missed(tracked.order, error, self.now())
        if after.is_terminal:
            self.finish(self._end(tracked, after))
        else:
            self.open_orders.keep(self._write(tracked, after, None, self.open_orders.due_ms(after)))

    def _confirm(self, tracked: Tracked, fill: Fill) -> None:
        order = tracked.order
        self.finish(self._end(tracked, order.moved(Status.CONFIRMED, self.now(), confirmation_meta(order, fill))))

    def _move(self, tracked: Tracked, after: Order) -> Tracked:
        """The next step of an order whose lease we hold."""
        return self.publisher.publish(self._write(tracked, after, tracked.lease, tracked.attention_at_ms))

    def _end(self, tracked: Tracked, after: Order) -> Tracked:
        """The terminal write. It clears the attention: the message in hand stands for what is left to do."""
        return self._write(tracked, after, None, None)

    def _write(self, tracked: Tracked, after: Order, lease: Lease | None, attention_at_ms: int | None) -> Tracked:
        try:
            return self.orders.write(tracked, after, lease=lease, attention_at_ms=attention_at_ms)
        except LostRaceError as error:
            raise _OvertakenError(tracked) from error


def _misses(order: Order, error: AttemptFailedError, *, over: bool) -> bool:
    """Whether a limit order waits on after this; one that does not wait expires, and does not fail, in the end."""
    limit = order.spec.type is OrderType.LIMIT
    return limit and (error.code in _LEFT or (over and order.spec.time_in_force is TimeInForce.IOC))


class _TimeUpError(Exception):
    """The order's time is up, and nothing of it can land any more."""

    def __init__(self, tracked: Tracked) -> None:
        super().__init__(tracked.order.order_id)
        self.tracked = tracked


class _AttemptEndedError(Exception):
    """An attempt failed for good and nothing of it can land any more; ``tracked`` is where the order stands."""

    def __init__(self, tracked: Tracked, error: AttemptFailedError) -> None:
        super().__init__(str(error))
        self.tracked = tracked
        self.error = error


class _OvertakenError(Exception):
    """Somebody else has moved the order since ``tracked``."""

    def __init__(self, tracked: Tracked) -> None:
        super().__init__(tracked.order.order_id)
        self.tracked = tracked
