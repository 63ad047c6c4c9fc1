"""Fifty orders at once: all confirmed, each stream complete, and never more than ten in flight."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.e2e.client import HAPPY, Client

ORDERS = 50
SLOTS = 10


def test_fifty_orders_at_once_each_with_its_own_socket(client: Client, tables: dict[str, Any]) -> None:
    with ThreadPoolExecutor(ORDERS) as threads:
        accepted = list(threads.map(lambda number: client.accept(userId=f"burst-{number % 5}"), range(ORDERS)))
        ids = [answer["orderId"] for answer in accepted]

        def watch(order_id: str) -> list[tuple[int, str]]:
            with client.socket(f"/ws/orders/{order_id}") as socket:
                socket.until_over(order_id)
            return socket.updates(order_id)

        streams = list(threads.map(watch, ids))
    assert streams == [list(enumerate(HAPPY, start=1))] * ORDERS

    swaps = Counter(row["orderId"] for row in tables["ledger"].scan()["Items"] if row["state"] == "landed")
    assert {order_id: swaps[order_id] for order_id in ids} == dict.fromkeys(ids, 1)
    assert most_in_flight(client, ids) == SLOTS


def most_in_flight(client: Client, ids: list[str]) -> int:
    """The largest number of orders between their first routing and their end at any one time."""
    changes: list[tuple[str, int]] = []
    for order_id in ids:
        events = client.get(f"/api/orders/{order_id}/events").json()["events"]
        # At the same millisecond an end comes before a beginning: the slot was handed on.
        changes += [(events[1]["at"], 1), (events[-1]["at"], -1)]
    flying = most = 0
    for _, change in sorted(changes):
        flying += change
        most = max(most, flying)
    return most
