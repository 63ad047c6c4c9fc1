"""One order by its id."""

from chalicelib.domain.errors import OrderNotFoundError
from chalicelib.ports import OrderStore, Tracked


def find_order(orders: OrderStore, order_id: str) -> Tracked:
    """:raises OrderNotFoundError: if there is no such order."""
    tracked = orders.get(order_id)
    if tracked is None:
        raise OrderNotFoundError(order_id)
    return tracked
