"""Cancelling: it wins until the transaction is sent, and a cancel and a swap never both exist."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.errors import CancelTooLateError, OrderNotFoundError
from chalicelib.domain.status import Status
from chalicelib.ports.streams import Subscriber
from tests.support.workbench import Workbench, a_workbench


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


def test_a_waiting_order_is_cancelled_told_and_recorded(bench: Workbench) -> None:
    order_id = bench.submit(subscriber=Subscriber("one"))
    order = bench.engine.cancel(order_id)
    assert (order.status, order.seq) == (Status.CANCELLED, 2)
    assert told(bench) == [(1, "pending"), (2, "cancelled")]
    assert len(bench.history.events[order_id]) == 2
    bench.process_all()
    assert bench.ledger.swaps_of(order_id) == []
    assert bench.statuses(order_id) == ["pending", "cancelled"]


def test_cancelling_again_gives_the_same_answer(bench: Workbench) -> None:
    order_id = bench.submit()
    assert bench.engine.cancel(order_id) == bench.engine.cancel(order_id)


def test_an_order_that_is_over_is_told_who_won(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.process_all()
    with pytest.raises(CancelTooLateError) as refused:
        bench.engine.cancel(order_id)
    assert refused.value.verdict == {"outcome": "too_late", "status": "confirmed", "seq": 6}


def test_there_is_nothing_to_cancel_of_an_unknown_order(bench: Workbench) -> None:
    with pytest.raises(OrderNotFoundError):
        bench.engine.cancel("00000000-0000-4000-8000-000000000000")


def test_all_orders_of_a_user_are_cancelled_and_nobody_elses(bench: Workbench) -> None:
    mine = {bench.submit(user_id="alice") for _ in range(3)}
    other = bench.submit(user_id="bob")
    cancelled, too_late, more = bench.engine.cancel.all_of("alice")
    assert ({order.order_id for order in cancelled}, too_late, more) == (mine, [], False)
    assert bench.order(other).status is Status.PENDING


def test_a_cancelled_start_is_free_for_somebody_else() -> None:
    bench = a_workbench(rate_limit_per_minute=1)
    bench.engine.cancel(bench.submit())
    bench.submit()
    assert bench.queue.delays == [0, 0]


def test_a_cancelled_order_whose_worker_was_lost_is_finished_by_the_watchdog(bench: Workbench) -> None:
    order_id = bench.submit(subscriber=Subscriber("one"))
    stored = bench.engine.execute.claim(bench.queue.take(), "lost")
    assert stored is not None
    bench.engine.cancel(order_id)
    bench.clock.sleep(60)
    bench.engine.watch()
    assert told(bench) == [(1, "pending"), (2, "routing"), (3, "cancelled")]
    assert len(bench.history.events[order_id]) == 3


def told(bench: Workbench) -> list[tuple[int, str]]:
    """What the connection ``one`` was told, each event once; any may come twice."""
    return list(dict.fromkeys(bench.sockets.updates("one")))


def before_write(bench: Workbench, number: int, act: Callable[[], Any]) -> None:
    """Have ``act`` happen right before the processor's write of this number."""
    write, seen = bench.orders.write, 0

    def watched(*arguments: Any, **named: Any) -> Any:
        nonlocal seen
        if not named.get("over_lease"):
            seen += 1
            if seen == number:
                act()
        return write(*arguments, **named)

    bench.orders.write = watched  # type: ignore[method-assign]


@pytest.mark.parametrize("number", range(1, 8))
def test_at_every_moment_either_the_cancel_or_the_swap_wins(bench: Workbench, number: int) -> None:
    order_id = bench.submit(subscriber=Subscriber("one"))
    verdicts: list[str] = []

    def cancel() -> None:
        try:
            verdicts.append(bench.engine.cancel(order_id).current_status.value)
        except CancelTooLateError as error:
            verdicts.append(error.verdict["status"])

    before_write(bench, number, cancel)
    bench.process_all()
    order = bench.order(order_id)
    swaps = len(bench.ledger.swaps_of(order_id))
    assert (order.status, swaps) == ((Status.CANCELLED, 0) if verdicts == ["cancelled"] else (Status.CONFIRMED, 1))
    assert told(bench) == [(event.seq, event.status.value) for event in order.events]
    assert len(bench.history.events[order_id]) == order.seq
    # Before the write that sends the transaction the cancel wins, from there on it does not.
    if number <= 5:
        assert (verdicts == ["cancelled"]) == (number <= 3)
