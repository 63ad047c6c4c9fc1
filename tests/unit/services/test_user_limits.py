"""Limits per user: the orders of one user leave room for those of others."""

import pytest

from chalicelib.domain.errors import TooManyActiveOrdersError, TooManyOpenOrdersError
from tests.support.callers import ANYONE
from tests.support.open_orders import a_limit, accept, push
from tests.support.specs import a_spec
from tests.support.workbench import a_workbench


def test_a_user_at_the_limit_is_refused_and_other_users_are_not() -> None:
    bench = a_workbench(max_active_orders_per_user=3)
    for _ in range(3):
        bench.submit(user_id="greedy")
    with pytest.raises(TooManyActiveOrdersError):
        bench.submit(user_id="greedy")
    bench.submit(user_id="modest")


def test_a_terminal_order_makes_room_for_another() -> None:
    bench = a_workbench(max_active_orders_per_user=2)
    bench.submit()
    bench.submit()
    bench.process()
    bench.submit()


def test_a_repeated_key_is_answered_although_the_user_is_at_the_limit() -> None:
    bench = a_workbench(max_active_orders_per_user=1)
    order_id = bench.submit(client_order_id="mine")
    assert bench.submit(client_order_id="mine") == order_id


def test_a_user_far_from_the_limit_is_not_counted_for_every_order(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = a_workbench(max_active_orders_per_user=1000)
    counted: list[str] = []
    count = bench.orders._count

    def counting(user_id: str, limit: int, *, waiting: bool) -> int:
        counted.append(user_id)
        return count(user_id, limit, waiting=waiting)

    monkeypatch.setattr(bench.orders, "_count", counting)
    for _ in range(100):
        bench.engine.submit(ANYONE, a_spec(user_id="busy"))
    assert 5 <= len(counted) <= 15


@pytest.mark.parametrize(("per_minute", "seconds"), [(0, 5), (100, 5), (4, 15)])
def test_a_user_with_too_many_active_orders_learns_when_one_of_them_usually_ends(
    per_minute: int, seconds: int
) -> None:
    bench = a_workbench(max_active_orders_per_user=1, rate_limit_per_minute=per_minute)
    bench.submit()
    with pytest.raises(TooManyActiveOrdersError) as caught:
        bench.submit()
    assert caught.value.retry_after == seconds
    bench.process_all()
    bench.submit()


def test_a_user_with_too_many_open_orders_is_asked_to_wait_a_minute() -> None:
    bench = a_workbench(max_open_orders_per_user=1)
    push(bench, 100)
    accept(bench, a_limit(110))
    with pytest.raises(TooManyOpenOrdersError) as caught:
        accept(bench, a_limit(110))
    assert caught.value.retry_after == 60
    push(bench, 130)
    bench.clock.sleep(caught.value.retry_after)
    accept(bench, a_limit(500))


def test_without_a_limit_no_orders_are_counted() -> None:
    bench = a_workbench(max_active_orders_per_user=0)
    bench.orders.count_active = None  # type: ignore[assignment, method-assign]
    bench.submit()
