"""A burst of fifty orders: all are confirmed, every stream is complete, and at most ten are in flight."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.e2e.client import HAPPY, Client

ORDERS = 50
SLOTS = 10


def test_fifty_simultaneous_orders_are_confirmed_and_streamed_completely(
    client: Client, tables: dict[str, Any]
) -> None:
    with ThreadPoolExecutor(ORDERS) as threads:
        accepted = list(threads.map(lambda number: client.accept(userId=f"burst-{number % 5}"), range(ORDERS)))
        ids = [answer["orderId"] for answer in accepted]

        def watch(order_id: str) -> list[tuple[int, str]]:
            with client.socket(f"/ws/orders/{order_id}") as socket:
                socket.until_terminal(order_id)
            # A frame may come twice: a slow replay is delivered to a second worker.
            return list(dict.fromkeys(socket.updates(order_id)))

        streams = list(threads.map(watch, ids))
    assert streams == [list(enumerate(HAPPY, start=1))] * ORDERS

    swaps = Counter(row["orderId"] for row in tables["ledger"].scan()["Items"] if row["state"] == "landed")
    assert {order_id: swaps[order_id] for order_id in ids} == dict.fromkeys(ids, 1)
    assert most_in_flight(client, ids) == SLOTS


def most_in_flight(client: Client, ids: list[str]) -> int:
    """The maximum number of orders that are between their first routing and their terminal event at one time."""
    changes: list[tuple[str, int]] = []
    for order_id in ids:
        events = client.get(f"/api/orders/{order_id}/events").json()["events"]
        # At the same millisecond an end sorts before a start: the next order reused the slot.
        changes += [(events[1]["at"], 1), (events[-1]["at"], -1)]
    flying = most = 0
    for _, change in sorted(changes):
        flying += change
        most = max(most, flying)
    return most
