"""The simulation against the engine, its rules, and the document."""

from dataclasses import replace
from itertools import islice, pairwise, repeat

import pytest

from tests.cost import documents
from tests.scale import against_kit, against_stack, scales
from tests.scale.figures import compared, report
from tests.scale.model import HIGH, NORMAL, Setup, World, burst, poisson
from tests.scale.venue_times import VenueTime, endless

VENUE = VenueTime(quoting=0.2, swapping=2.5)


def times_of(world: World) -> list[tuple[float, float]]:
    """The start and the end of each order, as they start."""
    return sorted((life.started or 0.0, life.ended or 0.0) for life in world.lives)


def test_the_simulation_agrees_with_the_engine_in_virtual_time() -> None:
    rows = against_kit.compare()
    assert [row for row in rows if not row.agrees] == []
    assert documents.places("simulate")["kit"] == report(rows)


def test_the_document_has_what_is_simulated() -> None:
    # `make simulate WRITE=1` writes the tables of a change that is meant.
    written = documents.places("simulate")
    assert {name: written[name] for name in scales.tables()} == scales.tables()


def test_a_stack_that_behaves_as_the_model_agrees_with_it() -> None:
    setup = Setup(build=0.05, gap=0.03)
    world = World(setup, "stack of its own")
    world.arrive(poisson(40, "posts"), islice(endless("other orders"), 200))
    world.run()
    rows = [(life.arrived, life.started or 0.0, life.ended or 0.0) for life in world.lives]
    measured, simulated = against_stack.measured_burst(rows), against_stack.simulated_burst(setup, rows)
    assert all(row.agrees for row in compared("burst", measured, simulated))
    triggered = [number / 100 for number in range(100)]
    assert against_stack.simulated_launch(setup, triggered).last == pytest.approx(26.3, rel=0.1)


def test_slots_bound_the_orders_at_once() -> None:
    world = burst(Setup(environments=2), 4, repeat(VENUE))
    assert times_of(world) == [pytest.approx(times) for times in [(0, 2.7), (0, 2.7), (2.7, 5.4), (2.7, 5.4)]]


def test_a_high_priority_order_takes_the_next_free_slot() -> None:
    world = World(Setup(environments=1), "lanes")
    world.arrive(iter([0.0, 0.0, 0.0]), repeat(VENUE), NORMAL)
    world.arrive(iter([1.0]), repeat(VENUE), HIGH)
    world.run()
    by_start = sorted(world.lives, key=lambda one: one.started or 0)
    assert [life.lane for life in by_start] == [NORMAL, HIGH, NORMAL, NORMAL]


def test_a_batch_ends_with_its_slowest_order() -> None:
    slow = replace(VENUE, swapping=3.0)
    world = burst(Setup(environments=1, batch=2), 3, iter([VENUE, slow, VENUE]))
    assert [started for started, _ in times_of(world)] == [pytest.approx(0), pytest.approx(0), pytest.approx(3.2)]


def test_the_rate_limit_holds_over_any_minute_and_refuses_beyond_the_horizon() -> None:
    world = World(Setup(environments=50, rate_a_minute=10, horizon=120), "limited")
    world.arrive(iter([0.0] * 40), repeat(VENUE))
    world.run()
    starts = sorted(life.started for life in world.lives if life.started is not None)
    assert len(starts) == 30
    assert all(later - earlier >= 60 - 1e-6 for earlier, later in zip(starts, starts[10:], strict=False))


def test_a_failing_order_ends_after_its_last_attempt_and_frees_its_slot_meanwhile() -> None:
    world = burst(Setup(environments=1, failing=1.0, attempts=3), 2, repeat(VENUE))
    assert [life.attempts for life in world.lives] == [3, 3]
    (first, _), (second, _) = times_of(world)
    assert second - first == pytest.approx(VENUE.seconds)


def test_a_cold_environment_delays_its_first_request_and_its_first_order_alone() -> None:
    world = World(Setup(environments=1, cold_start=0.5), "cold")
    world.arrive(iter([0.0, 10.0]), repeat(VENUE))
    world.run()
    assert times_of(world) == [pytest.approx((1.0, 3.7)), pytest.approx((10.0, 12.7))]


def test_environments_start_as_fast_as_the_mapping_adds_them() -> None:
    world = burst(Setup(environments=7, ramp_a_second=1.0), 7, repeat(VENUE))
    assert [started for started, _ in times_of(world)] == [pytest.approx(at) for at in [0, 0, 0, 0, 0, 1, 2]]


def test_requests_beyond_the_environments_of_the_api_are_refused() -> None:
    world = World(Setup(accept=1.0, api_environments=1), "api")
    world.arrive(iter([0.0, 0.5, 2.0]), repeat(VENUE))
    world.run()
    assert [life.queued is not None for life in world.lives] == [True, False, True]


def test_arrivals_are_independent_and_as_many_as_asked() -> None:
    arrivals = poisson(10, "arrivals")
    times = [next(arrivals) for _ in range(5_000)]
    assert times[-1] == pytest.approx(500, rel=0.05)
    assert all(one < other for one, other in pairwise(times))


def test_equal_seeds_make_equal_runs() -> None:
    setup = Setup(failing=0.3)
    one, other = (times_of(burst(setup, 50, endless("equal"), "seed")) for _ in range(2))
    assert one == other
