"""The first delivery of a message: it tells the order and its reservation, so the worker reads neither."""

from typing import Any

import pytest

from chalicelib.consumers.orders import process_orders
from chalicelib.domain.rate_limit import SlotReservation
from chalicelib.domain.spec import Priority
from chalicelib.domain.status import Status
from chalicelib.ports.orders import StoredOrder
from tests.support.callers import ANYONE
from tests.support.workbench import Workbench, a_workbench


@pytest.fixture
def bench() -> Workbench:
    return a_workbench(rate_limit_per_minute=1)


def deliver(bench: Workbench, body: str, receives: int = 1) -> bool:
    """Invoke the processor with a message of the orders queue; returns whether it is done."""
    attributes = {
        "SentTimestamp": "1000",
        "ApproximateFirstReceiveTimestamp": "1000",
        "ApproximateReceiveCount": str(receives),
    }
    record = {"messageId": "m", "receiptHandle": "r", "body": body, "attributes": attributes}
    return not process_orders(bench.engine, {"Records": [record]})["batchItemFailures"]


def count_reads(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The orders that are read from now on."""
    read: list[str] = []
    get = bench.orders.get

    def counted(order_id: str) -> StoredOrder | None:
        read.append(order_id)
        return get(order_id)

    monkeypatch.setattr(bench.orders, "get", counted)
    return read


def started_slots(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> list[SlotReservation]:
    """The reservations that orders try to start with from now on."""
    tried: list[SlotReservation] = []
    slots: Any = bench.adapters.rate_limit_slots
    start = slots.start

    def recorded(reservation: SlotReservation, order_id: str, now_ms: int) -> int:
        tried.append(reservation)
        started: int = start(reservation, order_id, now_ms)
        return started

    monkeypatch.setattr(slots, "start", recorded)
    return tried


def test_the_first_delivery_of_a_rate_limited_order_reads_no_order(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit()
    read = count_reads(bench, monkeypatch)
    assert deliver(bench, bench.order_queue.bodies[0])
    assert read == []
    monkeypatch.undo()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_a_later_delivery_starts_with_the_reservation_that_the_first_one_stored(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first delivery comes after a high-priority order took the slot, so it reserves another place."""
    body, first = bench.order_queue.bodies, bench.submit()
    bench.clock.sleep(40)
    bench.submit(priority=Priority.HIGH)
    assert deliver(bench, body[1])
    assert not deliver(bench, body[0])
    [stored] = [bench.orders.get(first)]
    assert stored is not None
    assert stored.reservation is not None
    bench.clock.sleep((stored.reservation.at_ms - bench.clock.now_ms()) / 1000)
    tried = started_slots(bench, monkeypatch)
    assert deliver(bench, body[0], receives=2)
    assert tried == [stored.reservation]


def test_copies_of_a_message_delay_its_order_no_further(bench: Workbench) -> None:
    """The high-priority order takes the slot, so the first copy reserves another place."""
    body, first = bench.order_queue.bodies, bench.submit()
    bench.clock.sleep(40)
    bench.submit(priority=Priority.HIGH)
    assert deliver(bench, body[1])
    stored = []
    for _ in range(12):
        assert not deliver(bench, body[0])
        stored.append(bench.orders.get(first))
    assert len({one.reservation for one in stored if one}) == 1


def test_both_messages_of_a_delayed_high_priority_order_use_one_reservation(bench: Workbench) -> None:
    """A high-priority order reserves when it is about to start, so neither of its messages tells the reservation."""
    bench.submit()
    assert deliver(bench, bench.order_queue.bodies[0])
    order_id = bench.submit(priority=Priority.HIGH)
    [body] = bench.high_priority_queue.bodies
    assert not deliver(bench, body)
    first = bench.orders.get(order_id)
    assert not deliver(bench, body)
    second = bench.orders.get(order_id)
    assert first is not None
    assert second is not None
    assert first.reservation == second.reservation is not None


def test_the_message_of_a_cancelled_order_takes_no_start_from_the_next_order(bench: Workbench) -> None:
    cancelled = bench.submit()
    bench.engine.cancel(ANYONE, cancelled)
    next_id = bench.submit()
    first, second = bench.order_queue.bodies
    assert bench.order_queue.delays == [0, 0]
    assert deliver(bench, first)
    assert deliver(bench, second)
    assert bench.order(next_id).status is Status.CONFIRMED


def test_the_message_of_a_cancelled_order_reads_it_once_at_its_lost_race(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = a_workbench()
    bench.engine.cancel(ANYONE, bench.submit())
    read = count_reads(bench, monkeypatch)
    assert deliver(bench, bench.order_queue.bodies[0])
    assert read == [], "the lost race tells the order"


def test_a_second_message_of_a_started_order_neither_frees_its_slot_nor_keeps_it_longer(bench: Workbench) -> None:
    """The watchdog sends such messages while the queue is long."""
    bench.submit()
    [body] = bench.order_queue.bodies
    assert deliver(bench, body)
    bench.submit()
    waiting = bench.order_queue.bodies[1]
    bench.clock.sleep(59)
    assert deliver(bench, body), "the order has ended"
    assert not deliver(bench, waiting)
    bench.clock.sleep(1)
    assert deliver(bench, waiting, receives=2)


def test_a_second_message_of_an_ended_order_takes_no_start(bench: Workbench) -> None:
    bench.submit()
    [body] = bench.order_queue.bodies
    assert deliver(bench, body)
    bench.submit()
    bench.clock.sleep(60)
    assert deliver(bench, body)
    assert deliver(bench, bench.order_queue.bodies[1])


def test_an_order_from_the_high_priority_queue_is_not_hidden_twice(bench: Workbench) -> None:
    """The queue hides a message for the lease when it delivers it."""
    bench.submit(priority=Priority.HIGH)
    assert deliver(bench, bench.order_queue.bodies[0])
    assert (bench.high_priority_queue.held, bench.high_priority_queue.taken) == ([], {})
