"""The list of orders says what the orders table says, whatever the history has."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.read_model import OrderReadModel, read_model_of
from chalicelib.domain.status import OrderType, Status
from chalicelib.ports.history import HistoryUnavailableError, OrderFilter
from chalicelib.services.orders import listing
from tests.support.callers import ANYONE, a_caller
from tests.support.open_orders import a_limit, accept, push
from tests.support.workbench import Workbench, a_workbench

USERS = [pytest.param("tester", id="a user's list"), pytest.param(None, id="the list of all users")]


@pytest.fixture
def bench() -> Workbench:
    bench = a_workbench()
    push(bench, 100)
    return bench


def pages(bench: Workbench, limit: int = 50, **wanted: Any) -> Iterator[list[OrderReadModel]]:
    cursor = None
    while True:
        page = bench.engine.list_orders(ANYONE, OrderFilter(**wanted), limit, cursor)
        yield page.orders
        cursor = page.next_cursor
        if cursor is None:
            return


def listed(bench: Workbench, limit: int = 50, **wanted: Any) -> list[OrderReadModel]:
    return [order for page in pages(bench, limit, **wanted) for order in page]


def ids(bench: Workbench, limit: int = 50, **wanted: Any) -> list[str]:
    return [order.order_id for order in listed(bench, limit, **wanted)]


def submit(bench: Workbench, number: int, **changes: Any) -> list[str]:
    """Accept orders a millisecond apart, and return their ids, the newest first."""
    accepted = []
    for _ in range(number):
        accepted.append(bench.submit(**changes))
        bench.clock.sleep(0.001)
    return accepted[::-1]


@pytest.mark.parametrize("user_id", USERS)
def test_an_order_is_listed_with_its_record_from_its_acceptance_on(bench: Workbench, user_id: str | None) -> None:
    order_id = bench.submit(client_order_id="mine")
    for wanted in ({}, {"client_order_id": "mine"}, {"status": "pending"}, {"type": OrderType.MARKET}):
        assert listed(bench, user_id=user_id, **wanted) == [read_model_of(bench.order(order_id))]
    assert listed(bench, user_id=user_id, status="confirmed") == []
    bench.process_all()
    assert listed(bench, user_id=user_id, status="confirmed") == [read_model_of(bench.order(order_id))]
    assert listed(bench, user_id=user_id, status="pending") == []


@pytest.mark.parametrize("user_id", USERS)
def test_an_order_that_the_rate_limit_delays_is_listed(user_id: str | None) -> None:
    bench = a_workbench(rate_limit_per_minute=1)
    orders = submit(bench, 3)
    assert ids(bench, user_id=user_id) == orders


@pytest.mark.parametrize("user_id", USERS)
def test_the_list_has_every_step_of_an_order_that_its_record_has(bench: Workbench, user_id: str | None) -> None:
    """A lister between any two calls of the processor sees the order once, as its record is."""
    seen = []

    def compare(order_id: str) -> None:
        [found] = listed(bench, user_id=user_id)
        assert found == read_model_of(bench.order(order_id))
        seen.append(found.status)

    order_id = bench.submit()
    write, record = bench.orders.write, bench.history.record

    def watched_write(*args: Any, **kwargs: Any) -> Any:
        written = write(*args, **kwargs)
        compare(order_id)
        return written

    def watched_record(order: Any) -> None:
        compare(order_id)
        record(order)
        compare(order_id)

    bench.orders.write = watched_write  # type: ignore[method-assign]
    bench.history.record = watched_record  # type: ignore[method-assign]
    bench.process_all()
    assert seen[-3:] == [Status.CONFIRMED] * 3


@pytest.mark.parametrize("user_id", USERS)
def test_a_terminal_order_that_postgres_lacks_is_listed_once(bench: Workbench, user_id: str | None) -> None:
    order_id = bench.submit()
    bench.history.refused = {order_id}
    bench.process_all()
    bench.clock.sleep(7200)
    assert listed(bench, user_id=user_id) == [read_model_of(bench.order(order_id))]
    bench.history.refused = set()
    bench.engine.watchdog()
    assert listed(bench, user_id=user_id) == [read_model_of(bench.order(order_id))]


def test_an_open_order_of_the_history_is_listed_as_it_is_now(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(150))
    bench.clock.sleep(7200)
    bench.history.down = True
    assert push(bench, 200) == 1
    bench.history.down = False
    assert [order.status for order in listed(bench)] == [Status.TRIGGERED]
    assert ids(bench, status="open") == []
    assert ids(bench, status="triggered", user_id="tester") == [order_id]


@pytest.mark.parametrize("user_id", USERS)
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_pages_of_recorded_and_unrecorded_orders_have_each_once(
    bench: Workbench, user_id: str | None, limit: int
) -> None:
    expected: list[str] = []
    for number in range(6):
        if number % 2:
            expected = submit(bench, 2) + expected
        else:
            expected = submit(bench, 1) + expected
            bench.process_all()
    found = list(pages(bench, limit, user_id=user_id))
    assert [order.order_id for page in found for order in page] == expected
    assert all(len(page) <= limit for page in found)


def test_pages_go_on_behind_orders_that_left_the_status_asked_for(bench: Workbench) -> None:
    waiting = [accept(bench, a_limit(150 + number)) for number in range(6)]
    bench.clock.sleep(7200)
    bench.history.down = True
    assert 0 < push(bench, 153) < 6
    bench.history.down = False
    still_open = [order_id for order_id in waiting if bench.order(order_id).status is Status.OPEN]
    assert sorted(ids(bench, 2, status="open")) == sorted(still_open)


@pytest.mark.parametrize("user_id", USERS)
def test_a_poll_by_changes_receives_an_order_that_was_recorded_late(bench: Workbench, user_id: str | None) -> None:
    late = bench.submit()
    bench.history.refused = {late}
    bench.process_all()
    bench.clock.sleep(1)
    quick = bench.submit()
    bench.process_all()
    newest = max(order.updated_at for order in listed(bench, user_id=user_id))
    assert newest == bench.order(quick).events[-1].at
    bench.clock.sleep(7200)
    bench.history.refused = set()
    bench.engine.watchdog()
    assert ids(bench, user_id=user_id, updated_since=newest) == [quick, late]


@pytest.mark.parametrize("user_id", USERS)
def test_a_poll_by_changes_leaves_out_what_did_not_change(bench: Workbench, user_id: str | None) -> None:
    bench.submit()
    bench.process_all()
    bench.clock.sleep(1)
    since = bench.clock.now()
    assert ids(bench, user_id=user_id, updated_since=since) == []
    second = bench.submit()
    bench.process_all()
    assert ids(bench, user_id=user_id, updated_since=since) == [second]
    assert ids(bench, user_id=user_id, updated_since=bench.clock.now() + timedelta(seconds=1)) == []


@pytest.mark.parametrize("user_id", USERS)
def test_a_poll_by_changes_receives_an_active_order_that_was_written_after_the_poll(
    bench: Workbench, user_id: str | None
) -> None:
    order_id = bench.submit()
    bench.clock.sleep(1)
    assert ids(bench, user_id=user_id, updated_since=bench.clock.now()) == [order_id]
    assert ids(bench, user_id=user_id, updated_since=datetime(1, 1, 1, tzinfo=UTC)) == [order_id]
    bench.clock.sleep(10)
    assert ids(bench, user_id=user_id, updated_since=bench.clock.now()) == []


@pytest.mark.parametrize("user_id", USERS)
def test_a_poll_of_several_pages_misses_no_change_between_them(bench: Workbench, user_id: str | None) -> None:
    first, second = submit(bench, 2)[::-1]
    since = bench.clock.now() - timedelta(days=1)
    seen: dict[str, OrderReadModel] = {}
    page = bench.engine.list_orders(ANYONE, OrderFilter(user_id=user_id, updated_since=since), 1, None)
    seen |= {order.order_id: order for order in page.orders}
    assert [order.order_id for order in page.orders] == [second]
    # The order of the first page ends before the order of the second.
    bench.order_queue.bodies.reverse()
    for _ in range(2):
        bench.clock.sleep(1)
        bench.process()
    while page.next_cursor:
        wanted = OrderFilter(user_id=user_id, updated_since=since)
        page = bench.engine.list_orders(ANYONE, wanted, 1, page.next_cursor)
        seen |= {order.order_id: order for order in page.orders}
    newest = max(order.updated_at for order in seen.values())
    assert set(ids(bench, user_id=user_id, updated_since=newest)) == {first, second}


def test_the_list_of_a_user_needs_no_postgres(bench: Workbench) -> None:
    expected = submit(bench, 3)
    bench.process_all()
    expected = submit(bench, 2) + expected
    bench.submit(user_id="bob")
    bench.history.down = True
    bench.clock.sleep(86_400)
    expected = submit(bench, 2) + expected
    for limit in (1, 3, 50):
        assert ids(bench, limit, user_id="tester") == expected
    assert ids(bench, status="confirmed", user_id="tester") == expected[4:]
    assert [order.user_id for order in bench.engine.list_orders(a_caller("bob"), OrderFilter(), 10, None).orders] == [
        "bob"
    ]


def test_the_list_of_all_users_needs_postgres(bench: Workbench) -> None:
    bench.submit()
    bench.history.down = True
    with pytest.raises(HistoryUnavailableError):
        listed(bench)


def test_a_page_reads_a_bounded_number_of_orders(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_BATCH", 2)
    monkeypatch.setattr(listing, "_MAX_READ", 4)
    expected = submit(bench, 11, user_id="alice")
    found = list(pages(bench, 50, user_id="alice", status="pending"))
    assert [order.order_id for page in found for order in page] == expected
    assert [len(page) for page in found] == [4, 4, 3]
    bench.history.down = True
    assert ids(bench, user_id="alice", status="confirmed") == []
    assert ids(bench, user_id="alice", status="pending") == expected


def test_recorded_orders_are_not_read_again(bench: Workbench) -> None:
    submit(bench, 5)
    bench.process_all()
    bench.order_index.read_orders = 0
    assert len(ids(bench, user_id="tester")) == 5
    assert bench.order_index.read_orders == 0


def test_an_immediate_order_that_reopens_stays_in_the_list(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(90, time_in_force=TimeInForce.IOC))
    assert ids(bench, user_id="tester") == [order_id]
    push(bench, 50)
    bench.process_all()
    assert [order.status for order in listed(bench, user_id="tester")] == [Status.EXPIRED]
