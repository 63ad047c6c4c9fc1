"""Idempotent repeats: a new order reads no key before it is written, and a repeat gets its answer at every limit."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.errors import (
    IdempotencyConflictError,
    MissingScopeError,
    PoolAlreadyLiveError,
    RateLimitedError,
    RefusedError,
    TooManyActiveOrdersError,
    TooManyOpenOrdersError,
)
from chalicelib.domain.spec import OrderSpec, Priority
from tests.support.callers import ANYONE, a_caller
from tests.support.open_orders import MINT, a_launch, a_limit, a_sniper
from tests.support.specs import a_spec
from tests.support.workbench import Workbench, a_workbench


def count_key_reads(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that are read from now on."""
    read: list[str] = []
    find_key = bench.orders.find_key

    def counted(key_id: str) -> Any:
        read.append(key_id)
        return find_key(key_id)

    monkeypatch.setattr(bench.orders, "find_key", counted)
    return read


def fill_horizon(bench: Workbench) -> None:
    for _ in range(15):
        bench.submit()


def launch(bench: Workbench) -> None:
    bench.engine.market.announce_launch(ANYONE, a_launch(bench))


#: What refuses a new order but no repeat: the settings, the order, what happens after it, and the error.
LIMITS: dict[str, tuple[dict[str, int], OrderSpec, Callable[[Workbench], object], type[RefusedError]]] = {
    "active orders": ({"max_active_orders_per_user": 1}, a_spec(), lambda bench: None, TooManyActiveOrdersError),
    "open orders": ({"max_open_orders_per_user": 1}, a_limit(900), lambda bench: None, TooManyOpenOrdersError),
    "rate limit": ({"rate_limit_per_minute": 1}, a_spec(), fill_horizon, RateLimitedError),
    "launched mint": ({}, a_sniper(MINT), launch, PoolAlreadyLiveError),
}


def test_a_new_order_with_two_keys_reads_none(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = a_workbench()
    read = count_key_reads(bench, monkeypatch)
    bench.engine.submit(ANYONE, a_spec(client_order_id="mine"), idempotency_key="k")
    assert read == []


def test_a_repeat_reads_no_key_because_the_refused_write_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = a_workbench()
    first = bench.engine.submit(ANYONE, a_spec(), idempotency_key="k")
    read = count_key_reads(bench, monkeypatch)
    assert bench.engine.submit(ANYONE, a_spec(), idempotency_key="k").order_id == first.order_id
    assert read == []


@pytest.mark.parametrize("limit", LIMITS)
def test_a_repeat_gets_the_first_answer_where_a_new_order_is_refused(limit: str) -> None:
    settings, spec, then, refusal = LIMITS[limit]
    bench = a_workbench(**settings)
    first = bench.engine.submit(ANYONE, spec, idempotency_key="k")
    then(bench)
    again = bench.engine.submit(ANYONE, spec, idempotency_key="k")
    assert (again.order_id, again.replayed, again.opened) == (first.order_id, True, first.opened)
    with pytest.raises(refusal):
        bench.engine.submit(ANYONE, spec, idempotency_key="another")


def test_a_repeat_with_another_body_conflicts_where_a_new_order_is_refused() -> None:
    bench = a_workbench(max_active_orders_per_user=1)
    bench.engine.submit(ANYONE, a_spec(amount_in=1), idempotency_key="k")
    with pytest.raises(IdempotencyConflictError):
        bench.engine.submit(ANYONE, a_spec(amount_in=2), idempotency_key="k")


def test_a_key_leads_to_the_order_of_its_own_user_alone() -> None:
    bench = a_workbench()
    alice, bob = a_caller("alice"), a_caller("bob")
    first = bench.engine.submit(alice, a_spec(user_id="alice", client_order_id="1"), idempotency_key="k")
    other = bench.engine.submit(bob, a_spec(user_id="bob", client_order_id="1"), idempotency_key="k")
    assert not other.replayed
    assert other.order_id != first.order_id
    again = bench.engine.submit(bob, a_spec(user_id="bob", client_order_id="1"), idempotency_key="k")
    assert (again.order_id, again.replayed) == (other.order_id, True)
    with pytest.raises(MissingScopeError):
        bench.engine.submit(bob, a_spec(user_id="alice", client_order_id="1"), idempotency_key="k")


def test_two_keys_of_two_orders_conflict() -> None:
    bench = a_workbench()
    spec = a_spec(client_order_id="mine")
    bench.engine.submit(ANYONE, spec)
    bench.engine.submit(ANYONE, a_spec(), idempotency_key="k")
    with pytest.raises(IdempotencyConflictError):
        bench.engine.submit(ANYONE, spec, idempotency_key="k")


def test_a_repeat_gets_its_answer_while_the_market_table_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(mint: str) -> bool:
        raise ConnectionError

    bench = a_workbench()
    first = bench.engine.submit(ANYONE, a_sniper(), idempotency_key="k")
    monkeypatch.setattr(bench.markets, "is_live", down)
    assert bench.engine.submit(ANYONE, a_sniper(), idempotency_key="k").order_id == first.order_id
    with pytest.raises(ConnectionError):
        bench.engine.submit(ANYONE, a_sniper(), idempotency_key="another")


def test_repeats_take_no_slot_of_the_rate_limit() -> None:
    bench = a_workbench(rate_limit_per_minute=2)
    for _ in range(20):
        bench.engine.submit(ANYONE, a_spec(), idempotency_key="k")
    bench.submit()
    bench.submit()
    assert bench.order_queue.delays == [0, 0, 60]


def test_a_high_priority_order_under_the_rate_limit_reads_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = a_workbench(rate_limit_per_minute=2)
    read = count_key_reads(bench, monkeypatch)
    bench.engine.submit(ANYONE, a_spec(priority=Priority.HIGH), idempotency_key="k")
    assert read == []
