"""Queries: the orders table answers for one order, the venues for quotes."""

from dataclasses import dataclass

from chalicelib.domain.events import QuotesReceived
from chalicelib.domain.identity import Caller, Scope
from chalicelib.domain.orders import Order
from chalicelib.domain.swaps import SwapRequest
from chalicelib.ports.orders import OrderStore
from chalicelib.routing.router import Router
from chalicelib.services.orders.lookup import find_order


@dataclass(frozen=True, slots=True)
class Queries:
    orders: OrderStore
    router: Router

    def order(self, caller: Caller, order_id: str, at_seq: int | None = None) -> Order:
        """The order; with ``at_seq``, as it was after that event.

        :raises OrderNotFoundError: if the caller has no such order.
        :raises SeqBeyondEndError: if the order has no such event.
        """
        order = find_order(caller, self.orders, order_id).order
        return order if at_seq is None else order.at_seq(at_seq)

    def quotes(self, caller: Caller, request: SwapRequest) -> QuotesReceived:
        """The quotes of all venues now, and the router's choice.

        :raises AttemptFailedError: if no venue has a quote.
        """
        caller.require(Scope.READ)
        return self.router.route(request).as_event()
