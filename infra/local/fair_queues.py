"""Delivers the emulator's messages in the fair order of SQS.

The emulator's process imports this file, which must therefore not import this package.
"""

import time
from collections import Counter
from collections.abc import Callable
from heapq import nsmallest
from typing import Any


class FairQueues:
    """Delivers from standard queues the groups with the fewest messages in flight first.

    Source: "Amazon SQS fair queues", AWS.
    """

    def __init__(self, collect: Callable[..., list[dict[str, Any]]]) -> None:
        self._collect = collect

    def __call__(self, queue: dict[str, Any], max_messages: int, visibility_seconds: int) -> list[dict[str, Any]]:
        if queue["is_fifo"]:
            return self._collect(queue, max_messages, visibility_seconds)
        now = time.time()
        # Sorting the queue's own list would drop the messages that other threads append to it meanwhile.
        messages = list(queue["messages"])
        in_flight = Counter(
            message.get("group_id")
            for message in messages
            if message["receive_count"] and message["visible_at"] > now
        )
        fairest = nsmallest(
            max_messages,
            (message for message in messages if message["visible_at"] <= now),
            key=lambda message: (in_flight[message.get("group_id")], message["sent_at"]),
        )
        return self._collect({**queue, "messages": fairest}, max_messages, visibility_seconds)
