"""An order with the terms that an explanation calls exact fills in the same market, whenever the looks come."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from threading import RLock

import pytest

from chalicelib.codec.times import to_ms
from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.money import to_base_units
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import Status
from chalicelib.domain.tokens import Side
from chalicelib.services.orders.explain.explanation import Change, Counterfactual
from orderengine.testing.fakes.clock import FakeClock
from tests.support.explanations import Explaining, an_explaining_bench, changes
from tests.support.open_orders import a_limit, accept

LOOK_MS = 5_000
PERIOD_MS = 150_000
#: Times between a push and the next one: shorter and longer than a fill takes.
PAUSES_MS = (600, 1_900, 4_100, 7_000, 12_300, 26_000)


@dataclass(frozen=True)
class Course:
    """The prices that are pushed, by the time since the order is accepted, and whether a push triggers orders."""

    prices: dict[int, int]
    is_seen: bool


def a_course(random: Random) -> Course:
    at_ms, prices = random.choice([50, 3_000, 20_000]), {}
    while at_ms < PERIOD_MS:
        prices[at_ms] = random.choice([100, 100, 101, random.randint(85, 118)])
        at_ms += random.choice(PAUSES_MS) + random.randint(0, 399)
    return Course(prices, random.random() < 0.5)


def lived(
    monkeypatch: pytest.MonkeyPatch, course: Course, spec: OrderSpec, first_look_ms: int | None, share: int
) -> tuple[Explaining, str]:
    """An order that waits while prices are pushed, even during its quotes and swaps, and looks come every 5 s.

    ``share`` places the latencies in their range, in percent. Without a first look there are none.
    """
    with monkeypatch.context() as patched:
        patched.setattr(
            "chalicelib.simulation.venue.between", lambda low, high, *_: low + (high - low) * share // 100
        )
        agenda: dict[int, Callable[[], object]] = {}
        lock, sleep = RLock(), FakeClock.sleep

        def sleep_through(clock: FakeClock, seconds: float) -> None:
            with lock:
                until_ms = clock.now_ms() + round(seconds * 1000)
                while due := [at_ms for at_ms in agenda if at_ms <= until_ms]:
                    sleep(clock, max(min(due) - clock.now_ms(), 0) / 1000)
                    agenda.pop(min(due))()
                sleep(clock, max(until_ms - clock.now_ms(), 0) / 1000)

        patched.setattr(FakeClock, "sleep", sleep_through)
        world = an_explaining_bench(venue_time_scale=1, market_tick_seconds=LOOK_MS // 1000)
        bench = world.bench
        world.push(100)
        bench.clock.sleep(2)
        began_ms = bench.clock.now_ms()
        for after_ms, price in course.prices.items():
            push = world.push if course.is_seen else world.push_unseen
            agenda[began_ms + after_ms] = lambda push=push, price=price: push(price)  # type: ignore[misc]
        expires_at = bench.clock.now() + timedelta(milliseconds=PERIOD_MS)
        order_id = accept(bench, replace(spec, time_in_force=TimeInForce.GTD, expires_at=expires_at))
        look_ms = PERIOD_MS * 2 if first_look_ms is None else first_look_ms
        while bench.clock.now_ms() <= began_ms + PERIOD_MS:
            bench.process_all()
            now_ms = bench.clock.now_ms()
            while began_ms + look_ms < now_ms:
                look_ms += LOOK_MS
            next_ms = min([*agenda, began_ms + look_ms, began_ms + PERIOD_MS + 1])
            bench.clock.sleep((next_ms - now_ms) / 1000)
            if bench.clock.now_ms() == began_ms + look_ms:
                bench.engine.market.look()
                look_ms += LOOK_MS
        bench.process_all()
        return world, order_id


def with_terms(spec: OrderSpec, one: Counterfactual) -> OrderSpec:
    if one.change is Change.LIMIT_PRICE:
        return replace(spec, limit_price=one.value)  # type: ignore[arg-type]
    if one.change is Change.AMOUNT_IN:
        return replace(spec, amount_in=to_base_units(one.value, spec.token_in.decimals))  # type: ignore[arg-type]
    return spec


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("seed", [*range(16), 105])
def test_an_order_with_exact_terms_fills(monkeypatch: pytest.MonkeyPatch, seed: int, side: Side) -> None:
    random = Random(f"{seed} {side}")
    course = a_course(random)
    amount = random.choice([10**9, 10**12]) if side is Side.SELL else random.choice([10**8, 10**11])
    limit = random.choice([100, 104, 112, 130]) if side is Side.SELL else random.choice([100, 96, 90, 75])
    spec = a_limit(limit, side, amount_in=amount)
    first_look_ms = random.choice([None, 0, 3_300])
    world, order_id = lived(monkeypatch, course, spec, first_look_ms, 100)
    found = changes(world.explain(order_id))
    for one in [one for one in found.values() if one.is_exact]:
        ways = [(0, 100), (1_300, 0), (2_600, 100), (4_900, 50)]
        # The limit of a missed swap is about that very swap, with its look and its latencies.
        for look_ms, share in [(first_look_ms, 100)] if "the swap of attempt" in one.text else ways:
            again, other_id = lived(monkeypatch, course, with_terms(spec, one), look_ms, share)
            other = again.bench.order(other_id)
            assert other.status is Status.CONFIRMED, (one, look_ms, share)
            assert other.expires_at
            assert to_ms(other.events[-1].at) < to_ms(other.expires_at)
