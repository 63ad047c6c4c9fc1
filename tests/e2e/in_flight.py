"""How many orders of a stack were in flight at one time."""

from datetime import datetime

from tests.e2e.client import Client

#: Orders that the engine executes at one time.
SLOTS = 10


def most_in_flight(client: Client, ids: list[str]) -> int:
    """The maximum number of orders that are between their first routing and their terminal event at one time."""
    changes: list[tuple[datetime, int]] = []
    for order_id in ids:
        events = client.engine.events(order_id)
        # At the same millisecond an end sorts before a start: the next order reused the slot.
        changes += [(events[1].at, 1), (events[-1].at, -1)]
    flying = most = 0
    for _, change in sorted(changes):
        flying += change
        most = max(most, flying)
    return most
