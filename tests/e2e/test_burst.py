"""A burst of fifty orders: all are confirmed, every stream is complete, and at most ten are in flight."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.e2e.client import HAPPY, Client
from tests.e2e.in_flight import SLOTS, most_in_flight

ORDERS = 50


def test_fifty_simultaneous_orders_are_confirmed_and_streamed_completely(
    client: Client, tables: dict[str, Any]
) -> None:
    with ThreadPoolExecutor(ORDERS) as threads:
        accepted = list(threads.map(lambda number: client.accept(userId=f"burst-{number % 5}"), range(ORDERS)))
        ids = [answer["orderId"] for answer in accepted]

        def watch(order_id: str) -> list[tuple[int, str]]:
            return [(update.seq, update.status) for update in client.engine.watch(order_id)]

        streams = list(threads.map(watch, ids))
    for order_id, stream in zip(ids, streams, strict=True):
        assert stream == [(event.seq, event.status) for event in client.engine.events(order_id)]
        assert [seq for seq, _ in stream] == list(range(1, len(stream) + 1))
        # On a busy machine a quote may come too late, and the engine makes another attempt.
        assert [status for _, status in stream[-4:]] == HAPPY[-4:]

    swaps = Counter(row["orderId"] for row in tables["ledger"].scan()["Items"] if row["state"] == "landed")
    assert {order_id: swaps[order_id] for order_id in ids} == dict.fromkeys(ids, 1)
    assert most_in_flight(client, ids) <= SLOTS
