"""One order by its id."""

from chalicelib.domain.errors import OrderNotFoundError
from chalicelib.ports.orders import OrderStore, StoredOrder


def find_order(orders: OrderStore, order_id: str) -> StoredOrder:
    """:raises OrderNotFoundError: if there is no such order."""
    stored = orders.get(order_id)
    if stored is None:
        raise OrderNotFoundError(order_id)
    return stored
