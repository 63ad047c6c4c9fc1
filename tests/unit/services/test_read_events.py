"""The wait for the next event of an order, in virtual time."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from chalicelib.domain.conditions import Amendment
from chalicelib.domain.errors import OrderNotFoundError, TooManyWaitsError
from chalicelib.domain.identity import Caller, Credential, Scope
from chalicelib.domain.orders import Order
from chalicelib.ports.event_waits import MAX_WAIT_SECONDS, WINDOW_SECONDS
from chalicelib.services.orders.read_events import ReadEvents
from tests.support.callers import ANYONE, a_caller
from tests.support.open_orders import a_limit, accept
from tests.support.workbench import Workbench, a_workbench

ALICE = Caller("alice", frozenset(Scope), Credential("key", None))


def reader(bench: Workbench, meanwhile: Callable[[], object]) -> ReadEvents:
    """The use case of the bench; ``meanwhile`` happens in every pause."""

    def sleep(seconds: float) -> None:
        bench.clock.sleep(seconds)
        meanwhile()

    return replace(bench.engine.read_events, sleep=sleep)


def once(action: Callable[[], object], after: int) -> Callable[[], None]:
    """The action in one of the calls, of which ``after`` come before."""
    calls = iter(range(after + 1))

    def call() -> None:
        if next(calls, None) == after:
            action()

    return call


def amend(bench: Workbench, order_id: str) -> Order:
    return bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(800)))


def never() -> None:
    raise AssertionError("nothing to wait for")


@pytest.fixture
def bench() -> Workbench:
    return a_workbench(max_event_waits=2, max_event_waits_per_user=1)


@pytest.fixture
def order_id(bench: Workbench) -> str:
    """An open limit order at seq 2."""
    return accept(bench, a_limit(900))


def test_an_event_that_exists_is_answered_at_once(bench: Workbench, order_id: str) -> None:
    order, events = reader(bench, never)(ANYONE, order_id, 1, MAX_WAIT_SECONDS)
    assert ([event.seq for event in events], order.seq) == ([2], 2)


@pytest.mark.parametrize("pauses", [0, 3, 15])
def test_a_wait_ends_with_the_look_after_its_event(bench: Workbench, order_id: str, pauses: int) -> None:
    waiting = reader(bench, once(lambda: amend(bench, order_id), pauses))
    order, events = waiting(ANYONE, order_id, 2, MAX_WAIT_SECONDS)
    assert [event.seq for event in events] == [3]
    assert events[0].at == bench.clock.now()
    assert order.spec.limit_price == 800


@pytest.mark.parametrize("seconds", [0, 1, MAX_WAIT_SECONDS])
def test_a_wait_without_an_event_ends_when_its_time_is_up(bench: Workbench, order_id: str, seconds: int) -> None:
    began = bench.clock.now()
    assert bench.engine.read_events(ANYONE, order_id, 2, seconds)[1] == ()
    assert (bench.clock.now() - began).total_seconds() == seconds


def test_a_wait_looks_at_the_order_about_once_a_second(bench: Workbench, order_id: str) -> None:
    looks = []
    reader(bench, lambda: looks.append(bench.clock.now()))(ANYONE, order_id, 2, MAX_WAIT_SECONDS)
    assert MAX_WAIT_SECONDS <= len(looks) <= MAX_WAIT_SECONDS + 5


def test_a_wait_for_a_later_event_goes_on_through_earlier_ones(bench: Workbench, order_id: str) -> None:
    amends, cancels = once(lambda: amend(bench, order_id), 0), once(lambda: bench.engine.cancel(ANYONE, order_id), 1)
    order, events = reader(bench, lambda: (amends(), cancels()))(ANYONE, order_id, 3, MAX_WAIT_SECONDS)
    assert ([event.seq for event in events], order.seq) == ([4], 4)


@pytest.mark.parametrize("after_seq", [2, 3, 10_000])
def test_the_end_of_an_order_ends_a_wait_for_what_will_not_come(
    bench: Workbench, order_id: str, after_seq: int
) -> None:
    waiting = reader(bench, once(lambda: bench.engine.cancel(ANYONE, order_id), 0))
    order, events = waiting(ANYONE, order_id, after_seq, MAX_WAIT_SECONDS)
    assert order.is_terminal
    assert [event.seq for event in events] == [3][after_seq - 2 :]
    assert reader(bench, never)(ANYONE, order_id, after_seq, MAX_WAIT_SECONDS) == (order, events)


def test_an_order_of_another_user_is_refused_before_any_wait(bench: Workbench, order_id: str) -> None:
    with pytest.raises(OrderNotFoundError):
        reader(bench, never)(a_caller("bob"), order_id, 2, MAX_WAIT_SECONDS)


def test_no_more_than_the_limit_wait_at_once(bench: Workbench, order_id: str) -> None:
    def another(seconds: int = MAX_WAIT_SECONDS) -> object:
        return reader(bench, never)(ANYONE, order_id, 2, seconds)

    def two_wait() -> None:
        with pytest.raises(TooManyWaitsError) as refused:
            another()
        assert refused.value.retry_after == MAX_WAIT_SECONDS / 2
        assert another(seconds=0)
        assert reader(bench, never)(ANYONE, order_id, 1, MAX_WAIT_SECONDS)

    first = reader(bench, once(lambda: reader(bench, two_wait)(ANYONE, order_id, 2, 1), 0))
    first(ANYONE, order_id, 2, 1)
    assert bench.engine.read_events(ANYONE, order_id, 2, 1)[1] == ()


def test_a_user_leaves_waits_to_others(bench: Workbench, order_id: str) -> None:
    others: list[Caller] = []

    def all_try() -> None:
        with pytest.raises(TooManyWaitsError) as refused:
            bench.engine.read_events(ALICE, order_id, 2, 1)
        assert refused.value.retry_after == MAX_WAIT_SECONDS
        for caller in (replace(ALICE, user_id="bob"), replace(ALICE, credential=None)):
            bench.engine.read_events(caller, order_id, 2, 1)
            others.append(caller)

    reader(bench, once(all_try, 0))(ALICE, order_id, 2, MAX_WAIT_SECONDS)
    assert len(others) == 2


def test_a_user_whom_the_limit_of_all_refuses_has_not_waited(bench: Workbench, order_id: str) -> None:
    def full() -> None:
        with pytest.raises(TooManyWaitsError):
            bench.engine.read_events(ALICE, order_id, 2, 1)

    second = reader(bench, once(full, 0))
    reader(bench, once(lambda: second(ANYONE, order_id, 2, 1), 0))(ANYONE, order_id, 2, 1)
    bench.engine.read_events(ALICE, order_id, 2, 1)


def test_a_wait_that_fails_gives_its_place_back(bench: Workbench, order_id: str) -> None:
    def fail() -> None:
        raise ConnectionError

    for _ in range(3):
        with pytest.raises(ConnectionError):
            reader(bench, fail)(ANYONE, order_id, 2, 1)
    bench.engine.read_events(ANYONE, order_id, 2, 1)


def test_a_place_that_is_not_given_back_is_free_after_two_windows(bench: Workbench, order_id: str) -> None:
    bench.wait_counts.down = True
    for _ in range(2):
        assert bench.engine.read_events(ANYONE, order_id, 2, 1)[1] == ()
    with pytest.raises(TooManyWaitsError):
        bench.engine.read_events(ANYONE, order_id, 2, 1)
    bench.clock.sleep(2 * WINDOW_SECONDS)
    bench.engine.read_events(ANYONE, order_id, 2, 1)


@pytest.mark.parametrize(("environments", "most"), [(0, 5), (1, 0), (10, 5), (99, 49), (1000, 50)])
def test_half_of_the_environments_of_the_api_do_not_wait(environments: int, most: int) -> None:
    assert a_workbench(api_concurrency=environments).engine.read_events.limit.most == most


def test_the_only_environment_of_the_api_answers_at_once() -> None:
    bench = a_workbench(api_concurrency=1)
    order, events = reader(bench, never)(ANYONE, accept(bench, a_limit(900)), 2, MAX_WAIT_SECONDS)
    assert (order.seq, events) == (2, ())
