"""The watchdog: it finds what was lost within seconds, and does not double the messages of a long queue."""

import pytest

from chalicelib.domain.status import Status
from chalicelib.ports.orders import StoredOrder
from tests.support.workbench import Workbench, a_workbench


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


def pending_seconds(bench: Workbench) -> int:
    return bench.engine.settings.pending_deadline_seconds


def test_an_order_whose_message_was_never_sent_is_overdue_within_seconds(bench: Workbench) -> None:
    bench.order_queue.down = True
    order_id = bench.submit()
    bench.order_queue.down = False
    bench.clock.sleep(10)
    assert bench.engine.watchdog() == 1
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_while_messages_wait_in_the_queue_an_order_has_more_time(bench: Workbench) -> None:
    bench.submit()
    bench.order_queue.backlog = True
    bench.clock.sleep(pending_seconds(bench) + bench.engine.settings.backlog_patience_seconds - 1)
    assert bench.engine.watchdog() == 0
    bench.clock.sleep(1)
    assert bench.engine.watchdog() == 1


def test_an_order_that_a_backlog_covered_is_sent_once_the_queue_is_empty(bench: Workbench) -> None:
    bench.submit()
    bench.order_queue.backlog = True
    bench.clock.sleep(pending_seconds(bench) + 1)
    assert bench.engine.watchdog() == 0
    bench.order_queue.backlog = False
    assert bench.engine.watchdog() == 1


def test_a_backlog_delays_no_history(bench: Workbench) -> None:
    bench.history.down = True
    order_id = bench.submit()
    bench.process_all()
    bench.history.down = False
    bench.order_queue.backlog = True
    bench.clock.sleep(bench.engine.settings.deadline_grace_seconds)
    assert bench.engine.watchdog() == 1
    assert order_id in bench.history.events


def test_a_queue_that_does_not_answer_delays_no_history(bench: Workbench) -> None:
    bench.history.down = True
    order_id = bench.submit()
    bench.process_all()
    bench.history.down, bench.order_queue.down = False, True
    bench.clock.sleep(bench.engine.settings.deadline_grace_seconds)
    assert bench.engine.watchdog() == 1
    assert order_id in bench.history.events


def test_a_watchdog_that_fails_to_send_an_order_sends_it_at_the_next_look(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.order_queue.bodies.clear()
    bench.clock.sleep(pending_seconds(bench))

    def refuse(stored: StoredOrder, delay_seconds: int = 0) -> None:
        raise ConnectionError("killed before the message is sent")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bench.order_queue, "send", refuse)
        assert bench.engine.watchdog() == 0
    assert bench.engine.watchdog() == 1
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_an_order_that_a_worker_takes_while_it_is_sent_again_keeps_the_workers_deadline(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit()
    bench.clock.sleep(pending_seconds(bench))
    send = bench.order_queue.send

    def send_to_a_fast_worker(stored: StoredOrder, delay_seconds: int = 0) -> None:
        send(stored, delay_seconds)
        bench.process()

    monkeypatch.setattr(bench.order_queue, "send", send_to_a_fast_worker)
    assert bench.engine.watchdog() == 1
    stored = bench.orders.get(order_id)
    assert stored is not None
    assert (stored.order.status, stored.deadline_ms) == (Status.CONFIRMED, None)


def test_while_postgres_is_down_an_order_is_tried_once_a_minute_at_most(bench: Workbench) -> None:
    bench.history.down = True
    bench.submit()
    bench.process_all()
    tries = 0
    for _ in range(720):
        bench.clock.sleep(5)
        tries += bench.engine.watchdog()
    assert tries <= 62
