"""Queries: the orders table answers for one order, Postgres for lists, the venues for quotes."""

from dataclasses import dataclass, replace

from chalicelib.domain.events import Event, QuotesReceived
from chalicelib.domain.identity import Caller, Scope
from chalicelib.domain.orders import Order
from chalicelib.domain.swaps import SwapRequest
from chalicelib.ports.history import History, OrderFilter, Page
from chalicelib.ports.orders import OrderStore
from chalicelib.routing.router import Router
from chalicelib.services.orders.lookup import find_order, user_for


@dataclass(frozen=True, slots=True)
class Queries:
    orders: OrderStore
    history: History
    router: Router

    def order(self, caller: Caller, order_id: str) -> Order:
        """:raises OrderNotFoundError: if the caller has no such order."""
        return find_order(caller, self.orders, order_id).order

    def events(self, caller: Caller, order_id: str, after_seq: int) -> tuple[Order, tuple[Event, ...]]:
        """The order, and its events after ``after_seq``.

        :raises OrderNotFoundError: if the caller has no such order.
        """
        order = self.order(caller, order_id)
        return order, order.events[after_seq:]

    def page(self, caller: Caller, wanted: OrderFilter, limit: int, cursor: str | None) -> Page:
        """A page of the history. A caller without ``operate`` sees its own orders only.

        :raises MissingScopeError: if the caller names another user without ``operate``.
        :raises HistoryUnavailableError: if Postgres does not answer.
        :raises InvalidCursorError: if the cursor does not belong to this list.
        """
        user_id = user_for(caller, wanted.user_id, Scope.READ)
        if Scope.OPERATE not in caller.scopes:
            wanted = replace(wanted, user_id=user_id)
        return self.history.page(wanted, limit, cursor)

    def quotes(self, caller: Caller, request: SwapRequest) -> QuotesReceived:
        """The quotes of all venues now, and the router's choice.

        :raises AttemptFailedError: if no venue has a quote.
        """
        caller.require(Scope.READ)
        return self.router.route(request).as_event()
