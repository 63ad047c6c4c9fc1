"""The one place that finds an order for a caller and checks that the caller may access it."""

from chalicelib.domain.errors import MissingScopeError, OrderNotFoundError
from chalicelib.domain.identity import Caller, Scope
from chalicelib.observability.context import concerns
from chalicelib.ports.orders import OrderStore, StoredOrder


def find_order(caller: Caller, orders: OrderStore, order_id: str, scope: Scope = Scope.READ) -> StoredOrder:
    """The order, for a caller with the scope. An order of another user's does not exist for the caller.

    :raises MissingScopeError: if the caller lacks the scope.
    :raises OrderNotFoundError: if the caller has no such order.
    """
    caller.require(scope)
    stored = own_order(caller, orders, order_id)
    if stored is None:
        raise OrderNotFoundError(order_id)
    return stored


def own_order(caller: Caller, orders: OrderStore, order_id: str) -> StoredOrder | None:
    """The order, if there is one that the caller may access."""
    stored = orders.get(order_id, None if Scope.OPERATE in caller.scopes else caller.user_id)
    if stored is None or not caller.may_access(stored.order.spec.user_id):
        return None
    concerns(stored.order)
    return stored


def user_for(caller: Caller, user_id: str | None, scope: Scope) -> str:
    """The user whose orders the caller asks for: the named one, or the caller.

    :raises MissingScopeError: if the caller lacks the scope, or names another user without ``operate``.
    """
    caller.require(scope)
    if user_id is None:
        return caller.user_id
    if not caller.may_access(user_id):
        raise MissingScopeError(Scope.OPERATE.value)
    return user_id
