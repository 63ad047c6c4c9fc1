"""Cancellation: a cancel wins until the transaction is sent, and no order is both cancelled and swapped."""

from collections.abc import Callable
from threading import Barrier, Event
from typing import Any

import pytest

from chalicelib.api.verdicts import verdict_of
from chalicelib.domain.errors import CancelTooLateError, ContendedError, OrderNotFoundError
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.ports.orders import StoredOrder, UnreadableOrderError
from chalicelib.ports.streams import Subscriber
from tests.support.callers import ANYONE
from tests.support.workbench import Workbench, a_workbench


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


def test_cancelling_a_pending_order_pushes_and_records_the_cancel(bench: Workbench) -> None:
    order_id = bench.submit(subscriber=Subscriber("one"))
    order = bench.engine.cancel(ANYONE, order_id)
    assert (order.status, order.seq) == (Status.CANCELLED, 2)
    assert distinct_updates(bench) == [(1, "pending"), (2, "cancelled")]
    assert len(bench.history.events[order_id]) == 2
    bench.process_all()
    assert bench.ledger.swaps_of(order_id) == []
    assert bench.statuses(order_id) == ["pending", "cancelled"]


def test_cancelling_again_gives_the_same_answer(bench: Workbench) -> None:
    order_id = bench.submit()
    assert bench.engine.cancel(ANYONE, order_id) == bench.engine.cancel(ANYONE, order_id)


def test_the_cancel_of_a_terminal_order_is_refused_with_a_verdict(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.process_all()
    with pytest.raises(CancelTooLateError) as refused:
        bench.engine.cancel(ANYONE, order_id)
    assert (refused.value.status, refused.value.seq) == (Status.CONFIRMED, 6)
    assert verdict_of(refused.value) == {"outcome": "too_late", "status": "confirmed", "seq": 6}


def test_the_cancel_of_an_unknown_order_is_refused(bench: Workbench) -> None:
    with pytest.raises(OrderNotFoundError):
        bench.engine.cancel(ANYONE, "00000000-0000-4000-8000-000000000000")


def test_cancelling_all_orders_of_a_user_leaves_those_of_other_users(bench: Workbench) -> None:
    mine = {bench.submit(user_id="alice") for _ in range(3)}
    other = bench.submit(user_id="bob")
    result = bench.engine.cancel.all_of(ANYONE, "alice")
    assert {order.order_id for order in result.cancelled} == mine
    assert (result.user_id, result.too_late, result.more) == ("alice", [], False)
    assert bench.order(other).status is Status.PENDING


def test_a_cancelled_order_releases_its_reservation() -> None:
    bench = a_workbench(rate_limit_per_minute=1)
    bench.engine.cancel(ANYONE, bench.submit())
    bench.submit()
    assert bench.order_queue.delays == [0, 0]


def test_the_watchdog_finalizes_a_cancelled_order_whose_worker_died(bench: Workbench) -> None:
    order_id = bench.submit(subscriber=Subscriber("one"))
    assert bench.lease("lost")
    bench.engine.cancel(ANYONE, order_id)
    bench.clock.sleep(60)
    bench.engine.watchdog()
    assert distinct_updates(bench) == [(1, "pending"), (2, "routing"), (3, "cancelled")]
    assert len(bench.history.events[order_id]) == 3


def distinct_updates(bench: Workbench) -> list[tuple[int, str]]:
    """The updates that the connection ``one`` received, each event once; any may arrive twice."""
    return list(dict.fromkeys(bench.sockets.updates("one")))


def before_write(bench: Workbench, number: int, act: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Call ``act`` right before the processor's write of this number."""
    write, seen = bench.orders.write, 0

    def write_after_act(*arguments: Any, **named: Any) -> StoredOrder:
        nonlocal seen
        if not named.get("over_lease"):
            seen += 1
            if seen == number:
                act()
        return write(*arguments, **named)

    monkeypatch.setattr(bench.orders, "write", write_after_act)


@pytest.mark.parametrize("number", range(1, 8))
def test_at_every_moment_either_the_cancel_or_the_swap_wins(
    bench: Workbench, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit(subscriber=Subscriber("one"))
    verdicts: list[str] = []

    def cancel() -> None:
        try:
            verdicts.append(bench.engine.cancel(ANYONE, order_id).current_status.value)
        except CancelTooLateError as error:
            verdicts.append(verdict_of(error)["status"])

    before_write(bench, number, cancel, monkeypatch)
    bench.process_all()
    order = bench.order(order_id)
    swaps = len(bench.ledger.swaps_of(order_id))
    assert (order.status, swaps) == ((Status.CANCELLED, 0) if verdicts == ["cancelled"] else (Status.CONFIRMED, 1))
    assert distinct_updates(bench) == [(event.seq, event.status.value) for event in order.events]
    assert len(bench.history.events[order_id]) == order.seq
    # The cancel wins before the write that precedes sending the transaction, and loses from there on.
    if number <= 5:
        assert (verdicts == ["cancelled"]) == (number <= 3)


# --- all orders of a user -----------------------------------------------------------------------------------


def test_all_orders_of_a_user_are_cancelled_side_by_side(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = bench.engine.settings.trigger_threads
    orders = [bench.submit(user_id="alice") for _ in range(2 * threads)]
    together, write = Barrier(threads, timeout=10), bench.orders.write

    def write_with_others(*arguments: Any, **named: Any) -> StoredOrder:
        together.wait()
        return write(*arguments, **named)

    monkeypatch.setattr(bench.orders, "write", write_with_others)
    result = bench.engine.cancel.all_of(ANYONE, "alice")
    assert [order.order_id for order in result.cancelled] == orders[::-1], "newest first"


def test_an_order_that_cannot_be_cancelled_hides_no_other(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = ("first", "unreadable", "sent", "contended", "last")
    orders = {bench.submit(user_id="alice"): kind for kind in kinds}
    get = bench.orders.get

    def get_some(order_id: str, of_user: str | None = None) -> StoredOrder | None:
        match orders[order_id]:
            case "unreadable":
                raise UnreadableOrderError(order_id)
            case "contended":
                raise ContendedError(order_id)
            case "sent":
                raise CancelTooLateError(order_id, Status.SUBMITTED, 5)
        return get(order_id)

    monkeypatch.setattr(bench.orders, "get", get_some)
    result = bench.engine.cancel.all_of(ANYONE, "alice")
    assert [orders[order.order_id] for order in result.cancelled] == ["last", "first"]
    assert [orders[error.order_id] for error in result.too_late] == ["sent"]
    assert result.more, "the client asks again for the contended order"


def test_an_outage_while_all_orders_are_cancelled_is_an_error(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(order_id: str, of_user: str | None = None) -> StoredOrder | None:
        raise ConnectionError

    for _ in range(3):
        bench.submit(user_id="alice")
    monkeypatch.setattr(bench.orders, "get", down)
    with pytest.raises(ConnectionError):
        bench.engine.cancel.all_of(ANYONE, "alice")


def test_no_cancel_runs_on_after_the_answer_of_one_that_failed(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = bench.engine.settings.trigger_threads
    orders = [bench.submit(user_id="alice") for _ in range(3 * threads)]
    all_begun, answered, get = Event(), Event(), bench.orders.get
    begun = Barrier(threads, action=all_begun.set, timeout=10)
    outlived: list[bool] = []

    def get_slowly(order_id: str, of_user: str | None = None) -> StoredOrder | None:
        if not all_begun.is_set():
            begun.wait()
        if order_id == orders[-1]:
            raise ConnectionError
        outlived.append(answered.wait(0.3))
        return get(order_id)

    monkeypatch.setattr(bench.orders, "get", get_slowly)
    with pytest.raises(ConnectionError):
        bench.engine.cancel.all_of(ANYONE, "alice")
    answered.set()
    assert True not in outlived
    assert len(outlived) <= threads, "the error stops those that have not begun"


def test_an_order_that_the_index_alone_has_stops_no_cancel(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = bench.submit(user_id="alice")
    monkeypatch.setattr(bench.orders, "unfinished_of", lambda _: ["gone", order_id, "gone too"])
    result = bench.engine.cancel.all_of(ANYONE, "alice")
    assert ([order.order_id for order in result.cancelled], result.too_late, result.more) == ([order_id], [], False)


def test_all_reservations_of_one_slot_are_free_again_whichever_order_is_cancelled_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the last reservation of a slot can be given back."""
    bench = a_workbench(rate_limit_per_minute=1)
    orders = [bench.submit(user_id="alice") for _ in range(3)]
    write, is_next = bench.orders.write, {order_id: Event() for order_id in orders}
    is_next[orders[0]].set()

    def write_oldest_first(before: StoredOrder, after: Order, **named: Any) -> StoredOrder:
        assert is_next[after.order_id].wait(10)
        written = write(before, after, **named)
        if after.order_id != orders[-1]:
            is_next[orders[orders.index(after.order_id) + 1]].set()
        return written

    monkeypatch.setattr(bench.orders, "write", write_oldest_first)
    bench.engine.cancel.all_of(ANYONE, "alice")
    bench.submit(user_id="bob")
    assert bench.order_queue.delays[-1] == 0
