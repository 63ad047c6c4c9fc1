"""The frames that are pushed beside the work on an order: in sequence, and never in its way."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from threading import Event, Timer
from typing import Any

import pytest

from chalicelib.domain.orders import Order
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.streams import RetrySocket, Subscriber
from chalicelib.services.streams.order_stream import OrderStream
from orderengine.testing.invariants import stream_violations
from tests.support.callers import ANYONE
from tests.support.open_orders import FAR, a_limit, accept, push
from tests.support.specs import a_spec
from tests.support.workbench import Workbench, a_workbench

STATUSES = ["pending", "routing", "routing", "building", "submitted", "confirmed"]
EVERYTHING = list(enumerate(STATUSES, start=1))
#: Longer than any wait of a correct engine in these tests.
PATIENCE_SECONDS = 5
ME = Subscriber("me")


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def writes(bench: Workbench) -> list[StoredOrder]:
    """An executed order as each of its writes left it, with a subscriber."""
    order_id = bench.submit()
    bench.process_all()
    order = bench.order(order_id)
    earlier = [Order.replayed(order_id, order.spec, order.events[:seq]) for seq in range(1, order.seq + 1)]
    return [StoredOrder(one, frozenset({ME})) for one in earlier]


def hold_first_push(bench: Workbench, monkeypatch: pytest.MonkeyPatch, until: Event) -> Event:
    """Let the first push wait; returns the event of its begin."""
    push, begun = bench.sockets.push, Event()

    def wait_and_push(connection_id: str, text: str) -> None:
        if not begun.is_set():
            begun.set()
            assert until.wait(PATIENCE_SECONDS)
        push(connection_id, text)

    monkeypatch.setattr(bench.sockets, "push", wait_and_push)
    return begun


def count_deliveries(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record the ``seq`` of the order at each delivery to its own subscribers."""
    deliverer = bench.engine.subscriptions.publisher.deliverer
    deliver, seqs = deliverer.deliver, []

    def record(order: Any, *args: Any) -> Any:
        seqs.append(order.seq)
        return deliver(order, *args)

    monkeypatch.setattr(deliverer, "deliver", record)
    return seqs


def stream_of(bench: Workbench, pool: Executor) -> OrderStream:
    return OrderStream(bench.engine.subscriptions.publisher, pool)


def test_the_writes_that_wait_for_a_slow_push_are_published_together(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, pool: ThreadPoolExecutor, writes: list[StoredOrder]
) -> None:
    released, stream = Event(), stream_of(bench, pool)
    seqs = count_deliveries(bench, monkeypatch)
    begun = hold_first_push(bench, monkeypatch, released)
    stream.publish(writes[0])
    assert begun.wait(PATIENCE_SECONDS)
    for stored in writes[1:]:
        stream.publish(stored)
    released.set()
    assert stream.flush(writes[-1]).published == 6
    assert seqs == [1, 6]
    assert bench.sockets.updates("me") == EVERYTHING


def test_a_subscriber_that_joined_between_waiting_writes_receives_the_later_ones_alone(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, pool: ThreadPoolExecutor, writes: list[StoredOrder]
) -> None:
    released, stream, late = Event(), stream_of(bench, pool), Subscriber("late")
    begun = hold_first_push(bench, monkeypatch, released)
    stream.publish(writes[0])
    assert begun.wait(PATIENCE_SECONDS)
    for stored in writes[1:]:
        joined = stored.subscribers | {late} if stored.order.seq > 3 else stored.subscribers
        stream.publish(replace(stored, subscribers=joined))
    released.set()
    stream.wait()
    assert bench.sockets.updates("me") == EVERYTHING
    assert bench.sockets.updates("late") == EVERYTHING[3:]


def test_a_dropped_subscriber_that_a_later_write_still_names_receives_no_frame_before_its_predecessor(
    bench: Workbench, pool: ThreadPoolExecutor, writes: list[StoredOrder]
) -> None:
    stream, other = stream_of(bench, pool), Subscriber("other")
    named = [replace(stored, subscribers=frozenset({ME, other})) for stored in writes]
    stream.publish(named[0])
    stream.wait()
    bench.sockets.slow.add("me")
    stream.publish(named[1])
    stream.wait()
    bench.sockets.slow.clear()
    for stored in named[2:]:
        stream.publish(stored)
    stream.wait()
    [(retry, _)] = bench.replay_queue.sent
    assert isinstance(retry, RetrySocket)
    assert (retry.subscriber, retry.after_seq) == (ME, 1)
    assert stream_violations([seq for seq, _ in bench.sockets.updates("me")], 0, 6) == []
    assert bench.sockets.updates("other") == EVERYTHING, "the rewind concerns the dropped subscriber alone"


def test_eight_slow_sockets_hold_an_execution_for_two_deliveries_at_most(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit()
    for number in range(8):
        bench.engine.subscriptions.join_order(ANYONE, Subscriber(f"slow-{number}"), order_id)
    ended, record = Event(), bench.history.record

    def record_and_end(*args: Any) -> Any:
        ended.set()
        return record(*args)

    monkeypatch.setattr(bench.history, "record", record_and_end)
    seqs = count_deliveries(bench, monkeypatch)
    hold_first_push(bench, monkeypatch, ended)
    bench.process_all()
    assert seqs == [2, 6]
    for number in range(8):
        assert bench.sockets.updates(f"slow-{number}") == EVERYTHING


def queued(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Event:
    send, sent = bench.order_queue.send, Event()

    def send_and_tell(*args: Any, **kwargs: Any) -> None:
        send(*args, **kwargs)
        sent.set()

    monkeypatch.setattr(bench.order_queue, "send", send_and_tell)
    return sent


def test_an_order_is_queued_while_the_socket_that_sent_it_is_slow(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_first_push(bench, monkeypatch, queued(bench, monkeypatch))
    bench.submit(ME)
    bench.process_all()
    assert stream_violations([seq for seq, _ in bench.sockets.updates("me")], 0, 6) == []


def test_an_order_is_queued_while_its_ack_is_slow_and_the_ack_still_comes_first(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, order_of_calls = queued(bench, monkeypatch), []
    push = bench.sockets.push

    def note_and_push(connection_id: str, text: str) -> None:
        order_of_calls.append("frame")
        push(connection_id, text)

    def acknowledge(order_id: str, replayed: bool) -> None:
        assert sent.wait(PATIENCE_SECONDS)
        order_of_calls.append("ack")

    monkeypatch.setattr(bench.sockets, "push", note_and_push)
    bench.engine.submit(ANYONE, a_spec(), subscriber=ME, acknowledge=acknowledge)
    assert order_of_calls == ["ack", "frame"]


def test_a_triggered_order_is_queued_while_its_socket_is_slow(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(bench, 100)
    order_id = accept(bench, a_limit(110))
    bench.engine.subscriptions.join_order(ANYONE, ME, order_id)
    hold_first_push(bench, monkeypatch, queued(bench, monkeypatch))
    assert push(bench, 100 * FAR) == 1
    bench.process_all()
    seqs = [seq for seq, _ in bench.sockets.updates("me")]
    assert stream_violations(seqs, 0, bench.order(order_id).seq) == []


def test_no_push_outlives_the_finalization_that_began_it(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    pushes: list[Future[Any]] = []

    class Recording(ThreadPoolExecutor):
        def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            pushes.append(super().submit(function, *args, **kwargs))
            return pushes[-1]

    def fail(*_: Any) -> None:
        Timer(0.05, released.set).start()
        raise RuntimeError("unforeseen")

    released, stored = Event(), bench.orders.get(bench.submit(ME))
    assert stored
    hold_first_push(bench, monkeypatch, released)
    monkeypatch.setattr(bench.history, "record", fail)
    with Recording(1) as pool:
        finalize = replace(bench.engine.execute.finalize, executor=pool)
        with pytest.raises(RuntimeError):
            finalize(replace(stored, published=0))
        assert [push.done() for push in pushes] == [True]
