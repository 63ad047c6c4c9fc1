"""The rate limit: it delays orders and drops none, and no sliding minute holds more starts than the limit."""

from math import ceil
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.meta import meta_of
from chalicelib.codec.times import to_ms
from chalicelib.domain.errors import RateLimitedError
from chalicelib.domain.events import Accepted
from chalicelib.domain.rate_limit import MINUTE_MS
from chalicelib.domain.spec import Priority
from chalicelib.domain.status import Status
from chalicelib.ports.orders import StoredOrder
from tests.faults.rates import most_in_a_minute
from tests.faults.virtual.world import World
from tests.support.callers import ANYONE
from tests.support.specs import a_spec
from tests.support.workbench import Workbench, a_workbench


def starts_of(bench: Workbench, orders: list[str]) -> list[int]:
    """The starts of the orders' first attempts, in milliseconds since the epoch."""
    return sorted(
        to_ms(event.at)
        for order_id in orders
        for event in bench.order(order_id).events[:2]
        if event.status is Status.ROUTING
    )


def run(bench: Workbench, random: Random, late_seconds: float = 0.0) -> int:
    """Deliver every message up to ``late_seconds`` after it is due; returns the most receives of one message."""

    def due_in(seconds: float) -> int:
        return bench.clock.now_ms() + round((seconds + random.uniform(0, late_seconds)) * 1000)

    due = [
        (due_in(delay), 1, body)
        for delay, body in zip(bench.order_queue.delays, bench.order_queue.bodies, strict=True)
    ]
    most = 0
    while due:
        due.sort()
        at_ms, receives, body = due.pop(0)
        most = max(most, receives)
        bench.clock.sleep(max(0, at_ms - bench.clock.now_ms()) / 1000)
        bench.order_queue.bodies = [body]
        again = bench.engine.execute(bench.order_queue.take(), "worker", lambda seconds: None)
        if again is not None:
            due.append((due_in(ceil(again)), receives + 1, body))
    return most


def test_the_rate_limit_delays_excess_orders_and_drops_none() -> None:
    bench = a_workbench(rate_limit_per_minute=10)
    orders = [bench.submit() for _ in range(25)]
    assert bench.order_queue.delays == [0] * 10 + [60] * 10 + [120] * 5
    run(bench, Random(1))
    assert {bench.order(order_id).status for order_id in orders} == {Status.CONFIRMED}
    assert most_in_a_minute(starts_of(bench, orders)) == 10


def test_a_delayed_order_states_its_start() -> None:
    bench = a_workbench(rate_limit_per_minute=1)
    first, second = bench.submit(), bench.submit()
    assert bench.order(first).events[0].data == Accepted()
    delayed = bench.order(second)
    assert meta_of(delayed.spec, delayed.events[0]) == {"startsAt": "2026-01-01T12:01:00.000Z"}


def test_past_the_horizon_an_order_is_refused_with_the_time_to_retry() -> None:
    bench = a_workbench(rate_limit_per_minute=1)
    for _ in range(16):
        bench.submit()
    writes = bench.orders.writes
    with pytest.raises(RateLimitedError) as refused:
        bench.submit()
    assert (refused.value.retry_after, bench.orders.writes) == (60, writes)
    bench.clock.sleep(refused.value.retry_after)
    bench.submit()


def test_a_flood_of_high_priority_orders_leaves_a_fifth_of_the_starts_to_the_others() -> None:
    bench = a_workbench(rate_limit_per_minute=100)
    flood = [bench.submit(user_id=f"urgent-{number}", priority=Priority.HIGH) for number in range(300)]
    while bench.order_queue.bodies:
        bench.engine.execute(bench.order_queue.take(), "worker", lambda seconds: None)
    strangers = [bench.submit(user_id=f"stranger-{number}") for number in range(20)]
    bench.process_all()
    assert {bench.order(order_id).status for order_id in strangers} == {Status.CONFIRMED}
    assert (
        len(starts_of(bench, [*flood, *strangers])) == most_in_a_minute(starts_of(bench, [*flood, *strangers])) == 100
    )


def test_the_high_priority_orders_of_a_busy_user_take_their_turn() -> None:
    bench = a_workbench(rate_limit_per_minute=10)
    for _ in range(50):
        bench.submit(user_id="busy")
    queue = bench.order_queue
    queue.bodies.clear()
    for user_id, waits in (("busy", 300), ("other", None)):
        bench.submit(user_id=user_id, priority=Priority.HIGH)
        assert bench.engine.execute(queue.take(), "worker", lambda seconds: None) == waits


@pytest.mark.parametrize("at_once", [300, 49])
def test_the_urgent_orders_of_one_user_delay_a_stranger_by_no_more_than_normal_ones_would(at_once: int) -> None:
    """The user sends all at once, or always as many as may go ahead; a stranger waits a minute at most."""
    waits = []
    for priority in Priority:
        bench, delayed = a_workbench(rate_limit_per_minute=100), {}
        queue = bench.order_queue
        for _ in range(300 // at_once):
            for _ in range(at_once):
                bench.submit(user_id="busy", priority=priority)
            while queue.bodies:
                body = queue.bodies[0]
                again = bench.engine.execute(queue.take(), "worker", lambda seconds: None)
                if again is not None:
                    delayed[body] = ceil(again)
        queue.delays.clear()
        stranger = bench.submit(user_id="stranger")
        queue.bodies += delayed
        queue.delays += delayed.values()
        run(bench, Random(1))
        waits.append(starts_of(bench, [stranger])[0] - to_ms(bench.order(stranger).events[0].at))
    assert max(waits) <= MINUTE_MS


def test_a_retry_uses_no_second_slot() -> None:
    bench = a_workbench(rate_limit_per_minute=1)
    order_id = bench.submit(simulate="network_error:2")
    began = bench.clock.now()
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED
    assert (bench.clock.now() - began).total_seconds() < 60


def test_a_repeated_key_reserves_one_slot() -> None:
    bench = a_workbench(rate_limit_per_minute=2)
    for _ in range(50):
        bench.submit(client_order_id="one")
    bench.submit()
    assert bench.order_queue.delays == [0, 0]


def test_a_repeated_key_is_answered_although_the_rate_limit_refuses_new_orders() -> None:
    bench = a_workbench(rate_limit_per_minute=1, rate_horizon_seconds=0)
    order_id = bench.submit(client_order_id="one")
    with pytest.raises(RateLimitedError):
        bench.submit()
    assert bench.submit(client_order_id="one") == order_id


def test_an_order_that_cannot_be_written_leaves_its_start_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: Any) -> StoredOrder:
        raise ConnectionError

    bench = a_workbench(rate_limit_per_minute=1)
    with monkeypatch.context() as patch:
        patch.setattr(bench.orders, "create", down)
        with pytest.raises(ConnectionError):
            bench.submit()
    bench.submit()
    assert bench.order_queue.delays == [0]


def test_a_repeat_gets_its_answer_although_its_start_cannot_be_released(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both requests look for the key before either of them writes it."""

    def down(_: object) -> None:
        raise ConnectionError

    bench = a_workbench(rate_limit_per_minute=1)
    order_id = bench.submit(client_order_id="one")
    monkeypatch.setattr(bench.orders, "find_key", lambda _: None)
    monkeypatch.setattr(bench.adapters.rate_limit_slots, "release", down)
    assert bench.submit(client_order_id="one") == order_id


def test_the_watchdog_sends_a_delayed_order_only_once_its_start_is_overdue() -> None:
    bench = a_workbench(rate_limit_per_minute=1)
    bench.submit()
    bench.submit()
    bench.process()
    bench.clock.sleep(bench.engine.settings.pending_deadline_seconds + 1)
    assert bench.engine.watchdog() == 0
    bench.clock.sleep(60)
    assert bench.engine.watchdog() == 1


def test_a_high_priority_order_overtakes_orders_with_a_reservation() -> None:
    bench = a_workbench(rate_limit_per_minute=2)
    orders = [bench.submit() for _ in range(6)]
    bench.clock.sleep(1)
    high_priority = bench.submit(priority=Priority.HIGH)
    run(bench, Random(1))
    starts = {order_id: starts_of(bench, [order_id])[0] for order_id in [*orders, high_priority]}
    assert sum(at < starts[high_priority] for at in starts.values()) <= 3
    assert most_in_a_minute(sorted(starts.values())) == 2


def test_many_orders_of_one_user_do_not_delay_another_user_for_minutes() -> None:
    bench = a_workbench(rate_limit_per_minute=10)
    for _ in range(100):
        bench.submit(user_id="greedy")
    modest = [bench.submit(user_id="modest") for _ in range(5)]
    assert bench.order_queue.delays[:100][-1] == 540
    # The ten due orders start first; the ninety later ones do not delay the other user.
    assert bench.order_queue.delays[100:] == [60] * 5
    run(bench, Random(1))
    starts = {order_id: starts_of(bench, [order_id])[0] for order_id in modest}
    assert max(starts.values()) - min(starts.values()) < MINUTE_MS
    assert most_in_a_minute(starts_of(bench, list(bench.orders._kept))) == 10


def test_later_orders_do_not_delay_a_due_order_that_has_not_started() -> None:
    bench = a_workbench(rate_limit_per_minute=3)
    due = [bench.submit(user_id="bob") for _ in range(4)][:3]
    bench.clock.sleep(0.6)
    for _ in range(20):
        bench.submit(user_id="alice")
    bench.clock.sleep(4)
    began = bench.clock.now_ms()
    run(bench, Random(1))
    assert starts_of(bench, due) == [began] * 3
    assert most_in_a_minute(starts_of(bench, list(bench.orders._kept))) == 3


def test_an_order_that_high_priority_orders_delay_again_and_again_still_completes() -> None:
    world = World(rate_limit=8)
    spec = a_spec(user_id="normal")
    normal = [world.engine.submit(ANYONE, spec).order_id for _ in range(40)]
    high_priority = []
    for _ in range(150):
        high_priority.append(
            world.engine.submit(ANYONE, a_spec(user_id="high_priority", priority=Priority.HIGH)).order_id
        )
        world.advance(6)
    assert world.run()
    orders = world.all_orders()
    assert {orders[order_id].order.status for order_id in [*normal, *high_priority]} == {Status.CONFIRMED}
    starts = sorted(to_ms(orders[order_id].order.events[1].at) for order_id in [*normal, *high_priority])
    assert most_in_a_minute(starts) <= 8


def test_cancelling_all_orders_releases_their_slots() -> None:
    bench = a_workbench(rate_limit_per_minute=10)
    for _ in range(100):
        bench.submit(user_id="fickle")
    bench.engine.cancel.all_of(ANYONE, "fickle")
    for _ in range(10):
        bench.submit(user_id="other")
    assert bench.order_queue.delays[100:] == [0] * 10


@given(
    limit=st.integers(1, 6),
    arrivals=st.lists(st.tuples(st.floats(0, 20), st.booleans()), min_size=1, max_size=40),
    late=st.sampled_from([0.0, 0.3, 5.0, 90.0]),
    seed=st.integers(0, 9),
)
def test_no_sliding_minute_exceeds_the_limit_although_messages_arrive_late(
    limit: int, arrivals: list[tuple[float, bool]], late: float, seed: int
) -> None:
    bench = a_workbench(rate_limit_per_minute=limit, rate_horizon_seconds=100_000)
    random = Random(seed)
    orders = []
    for wait, high_priority in arrivals:
        bench.clock.sleep(wait)
        orders.append(bench.submit(priority=Priority.HIGH if high_priority else Priority.NORMAL))
    run(bench, random, late)
    assert all(bench.order(order_id).status is Status.CONFIRMED for order_id in orders)
    assert most_in_a_minute(starts_of(bench, orders)) <= limit
