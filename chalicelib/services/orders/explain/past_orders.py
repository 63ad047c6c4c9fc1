"""The order as it was before each of its events."""

from chalicelib.domain.orders import Order


def orders_before(order: Order) -> list[Order]:
    """The order before its first event, before its second, and so on."""
    before = [Order(order.order_id, order.placed_spec)]
    for event in order.events[:-1]:
        before.append(before[-1].apply(event))
    return before
