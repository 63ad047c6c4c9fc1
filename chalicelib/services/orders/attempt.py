"""An attempt to execute a leased order: route it, build the transaction, write its signature, and send it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.events import Building, Submitted
from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.domain.swaps import Fill, Transaction
from chalicelib.observability import orders as observe
from chalicelib.ports.orders import Lease, LostRaceError, OrderStore, StoredOrder
from chalicelib.ports.venues import Ledger
from chalicelib.routing.router import Router
from chalicelib.services.orders.execution_events import (
    guaranteed_min_output,
    min_acceptable_output,
    missed_minimum,
    swap_request,
)
from chalicelib.services.orders.lease import leased_at
from chalicelib.services.streams.order_stream import OrderStream


class TimeUpError(Exception):
    """The order has expired, and none of its transactions can land any more."""

    def __init__(self, stored: StoredOrder) -> None:
        super().__init__(stored.order.order_id)
        self.stored = stored


class AttemptEndedError(Exception):
    """An attempt failed and none of its transactions can land any more. ``stored`` is the order at that moment."""

    def __init__(self, stored: StoredOrder, error: AttemptFailedError) -> None:
        super().__init__(str(error))
        self.stored = stored
        self.error = error


class OvertakenError(Exception):
    """Another writer has moved the order since ``stored``."""

    def __init__(self, stored: StoredOrder) -> None:
        super().__init__(stored.order.order_id)
        self.stored = stored


@dataclass(frozen=True, slots=True)
class RunAttempt:
    orders: OrderStore
    router: Router
    ledger: Ledger
    now: Callable[[], datetime]
    lease_seconds: int

    def __call__(self, stored: StoredOrder, stream: OrderStream) -> tuple[StoredOrder, Fill]:
        """The order as submitted, and the fill of its swap. A submitted order recovers its outcome from the ledger.

        :raises AttemptEndedError: if the attempt failed.
        :raises TimeUpError: if the order expired before its transaction was sent.
        :raises OvertakenError: if another writer moved the order.
        """
        if stored.order.status is Status.SUBMITTED:
            return self._recover(stored)
        self._check_expiry(stored)
        stored, transaction = self._build(stored, stream)
        quote = transaction.quote
        self._check_expiry(stored)
        sending = stored.order.after(Submitted(quote.venue, transaction.signature), self.now())
        stored = self.move(stored, sending, stream)
        observe.submitted(stored.order)
        try:
            return stored, self.router.venue(quote.venue).send(transaction)
        except AttemptFailedError as error:
            return stored, self._settle(stored, error)

    def _check_expiry(self, stored: StoredOrder) -> None:
        """:raises TimeUpError: if the order has expired, so that it must not be sent any more."""
        if stored.order.is_expired(self.now()):
            raise TimeUpError(stored)

    def _build(self, stored: StoredOrder, stream: OrderStream) -> tuple[StoredOrder, Transaction]:
        """Quote, choose and build. The order keeps the routing decision even where no quote reaches the minimum."""
        order = stored.order
        try:
            route = self.router.route(swap_request(order), guaranteed_min_output(order))
        except AttemptFailedError as error:
            raise AttemptEndedError(stored, error) from error
        quote, decision = route.chosen, route.as_event()
        routed = order.after(decision, self.now())
        minimum = min_acceptable_output(order, quote.amount_out)
        if missed := missed_minimum(quote.amount_out, minimum):
            raise AttemptEndedError(self.move(stored, routed, stream), missed)
        transaction = self.router.venue(quote.venue).build(quote, minimum)
        building = Building(quote.venue, minimum, transaction.steps)
        stored = self.move(stored, routed.after(building, self.now()), stream)
        began = leased_at(stored, self.lease_seconds)
        observe.routed(stored.order, route.reason, began, degraded=decision.is_degraded)
        return stored, transaction

    def _recover(self, stored: StoredOrder) -> tuple[StoredOrder, Fill]:
        observe.resumed(stored.order)
        lost = AttemptFailedError(FailureCode.TX_DROPPED, "the swap had not landed when its worker was lost")
        return stored, self._settle(stored, lost)

    def _settle(self, stored: StoredOrder, error: AttemptFailedError) -> Fill:
        """The fill of a swap that landed after all; else its signature is void and the attempt has ended."""
        order = stored.order
        fill = self.ledger.settle(order.tx_hash or "", order.order_id, to_ms(self.now()))
        if fill is None:
            raise AttemptEndedError(stored, error) from error
        return fill

    def move(self, stored: StoredOrder, after: Order, stream: OrderStream) -> StoredOrder:
        """Write and publish the next step of an order whose lease this worker holds.

        :raises OvertakenError: if another writer moved the order.
        """
        return stream.publish(self.write(stored, after, stored.lease, stored.deadline_ms))

    def write(self, stored: StoredOrder, after: Order, lease: Lease | None, deadline_ms: int | None) -> StoredOrder:
        """:raises OvertakenError: if another writer moved the order."""
        try:
            return self.orders.write(stored, after, lease=lease, deadline_ms=deadline_ms)
        except LostRaceError as error:
            raise OvertakenError(stored) from error
