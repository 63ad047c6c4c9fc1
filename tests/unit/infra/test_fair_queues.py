"""The emulator's standard queues deliver in the fair order of SQS."""

import time
from typing import Any

from infra.local.fair_queues import FairQueues


def _queue(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"is_fifo": False, "messages": list(messages)}


def _message(body: str, group: str, sent_at: float, **changes: Any) -> dict[str, Any]:
    message = {"body": body, "group_id": group, "sent_at": sent_at, "receive_count": 0, "visible_at": sent_at}
    return message | changes


def _delivered(queue: dict[str, Any], count: int) -> list[str]:
    collect = FairQueues(lambda queue, count, _: queue["messages"][:count])
    return [message["body"] for message in collect(queue, count, 30)]


def test_the_group_with_the_fewest_messages_in_flight_comes_first() -> None:
    in_flight = _message("a1", "a", 1, receive_count=1, visible_at=time.time() + 60)
    queue = _queue(in_flight, _message("a2", "a", 2), _message("b2", "b", 4), _message("b1", "b", 3))
    assert _delivered(queue, 10) == ["b1", "b2", "a2"]


def test_a_delayed_message_takes_no_place() -> None:
    queue = _queue(_message("later", "a", 1, visible_at=time.time() + 60), _message("now", "a", 2))
    assert _delivered(queue, 1) == ["now"]


def test_a_message_that_arrives_during_a_delivery_stays_in_the_queue() -> None:
    queue = _queue()

    class Interrupted(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            if len(queue["messages"]) < 3:
                queue["messages"].append(_message("sent meanwhile", "b", 3))
            return super().__getitem__(name)

    queue["messages"] += [Interrupted(_message("a1", "a", 1)), Interrupted(_message("a2", "a", 2))]
    assert _delivered(queue, 1) == ["a1"]
    assert [message["body"] for message in queue["messages"]] == ["a1", "a2", "sent meanwhile"]
