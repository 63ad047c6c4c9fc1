"""Looking things up: the order table for one order, Postgres for lists, the venues for quotes."""

from dataclasses import dataclass

from chalicelib.domain.orders import Event, Order
from chalicelib.domain.swaps import SwapRequest
from chalicelib.ports.history import History, OrderFilter, Page
from chalicelib.ports.orders import OrderStore
from chalicelib.routing.router import Route, Router
from chalicelib.services.orders.lookup import find_order


@dataclass(frozen=True, slots=True)
class Queries:
    orders: OrderStore
    history: History
    router: Router

    def order(self, order_id: str) -> Order:
        """:raises OrderNotFoundError: if there is no such order."""
        return find_order(self.orders, order_id).order

    def events(self, order_id: str, after_seq: int) -> tuple[Event, ...]:
        """The order's events after ``after_seq``.

        :raises OrderNotFoundError: if there is no such order.
        """
        return self.order(order_id).events[after_seq:]

    def page(self, wanted: OrderFilter, limit: int, cursor: str | None) -> Page:
        """:raises HistoryUnavailableError, ValueError: the latter for a cursor that is none of ours."""
        return self.history.page(wanted, limit, cursor)

    def route(self, request: SwapRequest) -> Route:
        """:raises AttemptFailedError: if no venue has a quote."""
        return self.router.route(request)
