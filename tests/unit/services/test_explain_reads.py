"""An explanation reads the market table a bounded number of times, however long the life of its order."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from chalicelib.domain.events import AttemptStarted, Event
from chalicelib.domain.failures import Failure
from chalicelib.domain.orders import Order
from chalicelib.ports.orders import StoredOrder
from chalicelib.services.orders.explain.explanation import Change
from tests.support.callers import ANYONE
from tests.support.explanations import Explaining, an_explaining_bench, before_each_swap, changes
from tests.support.open_orders import a_launch, a_limit, a_sniper, accept

#: Histories; each of them takes at most four queries. Two are of a period, the others of a moment.
MAX_READS = 12 + 10 + 2


@pytest.fixture
def world() -> Explaining:
    world = an_explaining_bench(venue_time_scale=Decimal(1))
    world.push(100)
    return world


@pytest.fixture
def reads(world: Explaining, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """The number of histories that were read since the last call."""
    read, count = world.bench.markets.history, [0]

    def history(*arguments: object) -> object:
        count[0] += 1
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(world.bench.markets, "history", history)

    def since() -> int:
        found, count[0] = count[0], 0
        return found

    return since


def missed_often(world: Explaining, monkeypatch: pytest.MonkeyPatch) -> str:
    """A limit order that triggered thirty times, each time at a new price that was gone when its swap arrived."""
    order_id = accept(world.bench, a_limit(120))

    def fall() -> None:
        world.push(110)
        world.bench.clock.sleep(1.5)

    with monkeypatch.context() as patched:
        before_each_swap(patched, fall)
        for number in range(30):
            world.push(125 + number)
            world.bench.process_all()
            world.bench.clock.sleep(timedelta(hours=7).total_seconds())
    assert world.bench.order(order_id).missed_triggers == 30
    return order_id


def test_one_history_has_the_prices_of_an_order_that_missed_often(
    world: Explaining, monkeypatch: pytest.MonkeyPatch, reads: Callable[[], int]
) -> None:
    order_id = missed_often(world, monkeypatch)
    replay = world.explain(order_id).replay
    assert reads() == 2
    assert (replay.matches, replay.unknown) == (True, 0)


def test_an_order_that_missed_its_price_often_among_more_prices_than_a_history_has(
    world: Explaining, monkeypatch: pytest.MonkeyPatch, reads: Callable[[], int]
) -> None:
    monkeypatch.setattr("orderengine.testing.fakes.markets.MAX_PAST_PRICES", 10)
    order_id = missed_often(world, monkeypatch)
    replay = world.explain(order_id).replay
    assert 0 < reads() <= MAX_READS
    assert replay.matches
    assert replay.checked > 0
    assert replay.unknown > 0
    whole = world.bench.engine.replay(world.bench.order(order_id))
    assert (whole.matches, whole.unknown) == (True, 0)
    assert whole.checked > replay.checked


def test_an_order_of_an_earlier_version_that_missed_often(
    world: Explaining, monkeypatch: pytest.MonkeyPatch, reads: Callable[[], int]
) -> None:
    order = world.bench.order(missed_often(world, monkeypatch))

    def forgotten(event: Event) -> Event:
        if isinstance(event.data, AttemptStarted) and event.data.last_failure:
            failure = event.data.last_failure
            return replace(event, data=AttemptStarted(Failure(failure.code, failure.reason)))
        return event

    legacy = Order.replayed(order.order_id, order.spec, tuple(map(forgotten, order.events)))
    monkeypatch.setattr(type(world.bench.orders), "get", lambda *_: StoredOrder(legacy))
    found = changes(world.explain(order.order_id))
    assert 0 < reads() <= MAX_READS
    assert not found[Change.LIMIT_PRICE].is_exact


def test_a_sniper_order_that_refused_many_launches(world: Explaining, reads: Callable[[], int]) -> None:
    order_id = accept(world.bench, a_sniper(min_liquidity=Decimal(2000)))
    for slot in range(30):
        world.announce(a_launch(world.bench, f"pool {slot}", slot))
    assert world.bench.engine.explain(ANYONE, order_id).counterfactuals
    assert 0 < reads() <= MAX_READS
