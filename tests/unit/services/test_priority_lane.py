"""High-priority orders: a free worker executes them before the orders in turn, and each is executed once."""

from typing import Any

import pytest

from chalicelib.consumers.orders import process_orders
from chalicelib.domain.spec import Priority
from chalicelib.domain.status import Status
from tests.support.workbench import Workbench, a_workbench


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


def deliver(bench: Workbench, number: int = 0, waited_ms: int = 0, receives: int = 1) -> list[str]:
    """Invoke the processor with a message of the orders queue; returns the ids that SQS must deliver again."""
    attributes = {
        "SentTimestamp": "1000",
        "ApproximateFirstReceiveTimestamp": str(1000 + waited_ms),
        "ApproximateReceiveCount": str(receives),
    }
    record = {
        "messageId": "m",
        "receiptHandle": "r",
        "body": bench.order_queue.bodies[number],
        "attributes": attributes,
    }
    answer: dict[str, Any] = process_orders(bench.engine, {"Records": [record]})
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_a_high_priority_order_overtakes_a_long_queue(bench: Workbench) -> None:
    first = bench.submit()
    bench.submit()
    high_priority = bench.submit(priority=Priority.HIGH)
    assert deliver(bench, waited_ms=5000) == ["m"]
    assert bench.order(high_priority).status is Status.CONFIRMED
    assert bench.order(first).status is Status.PENDING
    assert bench.high_priority_queue.taken == {}
    assert deliver(bench, waited_ms=5000, receives=2) == []
    assert bench.order(first).status is Status.CONFIRMED


def test_without_a_backlog_the_processor_does_not_read_the_high_priority_queue(bench: Workbench) -> None:
    bench.high_priority_queue.down = True
    order_id = bench.submit()
    assert deliver(bench) == []
    assert bench.order(order_id).status is Status.CONFIRMED


def test_a_single_high_priority_order_is_executed_once(bench: Workbench) -> None:
    high_priority = bench.submit(priority=Priority.HIGH)
    assert deliver(bench) == []
    assert len(bench.ledger.swaps_of(high_priority)) == 1
    assert (bench.high_priority_queue.bodies, bench.high_priority_queue.taken) == ([], {})
    assert bench.statuses(high_priority).count("confirmed") == 1


def test_both_queues_hold_a_high_priority_order_whose_attempt_failed(bench: Workbench) -> None:
    bench.submit(priority=Priority.HIGH, simulate="network_error:1")
    assert deliver(bench) == ["m"]
    assert [receipt for receipt, _ in bench.high_priority_queue.held][-1] == "high_priority-0"
    assert bench.order_queue.held[-1][1] == bench.high_priority_queue.held[-1][1]
    assert list(bench.high_priority_queue.taken) == ["high_priority-0"]


def test_a_failing_high_priority_queue_does_not_keep_the_processor_from_working(bench: Workbench) -> None:
    bench.submit(priority=Priority.HIGH)
    bench.high_priority_queue.down = True
    order_id = bench.submit()
    assert deliver(bench, number=1, waited_ms=5000) == []
    assert bench.order(order_id).status is Status.CONFIRMED


def test_a_poison_message_in_the_high_priority_queue_does_not_stop_the_order_in_turn(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.high_priority_queue.bodies.append("not JSON")
    assert deliver(bench, waited_ms=5000) == []
    assert bench.order(order_id).status is Status.CONFIRMED
    assert bench.high_priority_queue.held == [("high_priority-0", 0)]


def test_the_order_in_turn_goes_back_to_its_queue_at_once_after_a_high_priority_order(bench: Workbench) -> None:
    bench.submit()
    bench.submit(priority=Priority.HIGH)
    assert deliver(bench, waited_ms=5000) == ["m"]
    assert bench.order_queue.held == [("r", 0)]


@pytest.mark.parametrize(("receives", "gives_way"), [(2, True), (3, False)])
def test_an_order_gives_way_twice_and_keeps_a_receive_for_each_attempt(
    bench: Workbench, receives: int, gives_way: bool
) -> None:
    order_id = bench.submit()
    high_priority = bench.submit(priority=Priority.HIGH)
    assert deliver(bench, waited_ms=5000, receives=receives) == (["m"] if gives_way else [])
    assert bench.order(order_id).is_terminal is not gives_way
    assert bench.order(high_priority).is_terminal is gives_way
