"""What would have filled an order, verified against the simulated market of that time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from chalicelib.codec.times import to_ms
from chalicelib.domain.conditions import Amendment, LaunchTerms, TimeInForce
from chalicelib.domain.events import AttemptStarted, Event, Failed, LaunchRefused, QuotesReceived
from chalicelib.domain.failures import Failure
from chalicelib.domain.money import minimum_output, to_base_units
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import Status
from chalicelib.domain.tokens import Side
from chalicelib.ports.orders import StoredOrder
from chalicelib.services.orders.explain import wording
from chalicelib.services.orders.explain.explanation import Change, Counterfactual
from chalicelib.services.orders.explain.past_ticks import MAX_MOMENTS
from chalicelib.simulation import venues
from chalicelib.simulation.hindsight import SimulatedPast
from tests.support.callers import ANYONE
from tests.support.explanations import Explaining, an_explaining_bench, before_each_swap, changes
from tests.support.open_orders import MINT, a_launch, a_limit, a_sniper, accept
from tests.support.orca import Orca
from tests.support.specs import a_spec

SLOT_MS = 400
#: The sixth digit of a price of about a hundred.
LIMIT_STEP = Decimal("0.001")


def a_world() -> Explaining:
    world = an_explaining_bench(venue_time_scale=Decimal(1))
    world.push(100)
    return world


@pytest.fixture
def world() -> Explaining:
    return a_world()


def number(one: Counterfactual) -> Decimal:
    assert isinstance(one.value, Decimal)
    return one.value


def moment_ms(one: Counterfactual) -> int:
    assert not isinstance(one.value, Decimal | str)
    return to_ms(one.value)


def outputs(world: Explaining, spec: OrderSpec, since_ms: int, until_ms: int) -> dict[int, int]:
    """What the whole order brings in each 100 ms of a period."""
    return {at_ms: world.output(spec, at_ms) for at_ms in range(since_ms, until_ms + 1, SLOT_MS // 4)}


def slipped(world: Explaining, monkeypatch: pytest.MonkeyPatch, spec: OrderSpec, factor: str = "0.97") -> str:
    """An order whose price falls by this factor between its first quote and its swap."""
    prices = iter([Decimal(100) * Decimal(factor)])

    def fall() -> None:
        if price := next(prices, None):
            world.push(price)
            world.bench.clock.sleep(1.5)

    with monkeypatch.context() as patched:
        before_each_swap(patched, fall)
        order_id = accept(world.bench, spec)
        world.bench.process_all()
    return order_id


def sustained(world: Explaining, spec: OrderSpec, since_ms: int, until_ms: int) -> int:
    """The most that the whole order brings throughout one window of the period, on one venue."""
    window_ms = world.bench.engine.explain.fill_times.window_ms
    brought = outputs(world, spec, since_ms, until_ms)
    starts = [at_ms for at_ms in brought if at_ms + window_ms < until_ms]
    return max(
        min(output for at_ms, output in brought.items() if start <= at_ms <= start + window_ms) for start in starts
    )


def failure_of(order: Order) -> Failure:
    return next(
        event.data.last_failure
        for event in order.events
        if isinstance(event.data, AttemptStarted) and event.data.last_failure
    )


# --- market orders -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", ["0.985", "0.97", "0.9", "0.7"])
def test_the_least_slippage_would_have_landed_the_swap_and_a_basis_point_less_would_not(
    world: Explaining, monkeypatch: pytest.MonkeyPatch, factor: str
) -> None:
    order = world.bench.order(slipped(world, monkeypatch, a_spec(), factor))
    assert order.status is Status.FAILED
    found = changes(world.explain(order.order_id))[Change.SLIPPAGE]
    assert found.is_exact
    landed, decision = failure_of(order).amount_out, order.events[2].data
    assert landed is not None
    assert isinstance(decision, QuotesReceived)
    quoted, bps = decision.quote_of("raydium"), int(number(found) * 100)
    assert quoted
    assert minimum_output(quoted.amount_out, bps) <= landed < minimum_output(quoted.amount_out, bps - 1)


def test_an_order_with_the_suggested_slippage_fills_in_the_same_market(
    world: Explaining, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The simulated latencies depend on the order's id.
    monkeypatch.setattr("chalicelib.runtime.uuid4", lambda: "00000000-0000-4000-8000-000000000001")
    lost = slipped(world, monkeypatch, a_spec())
    bps = int(number(changes(world.explain(lost))[Change.SLIPPAGE]) * 100)
    for tolerance, fills_at_once in ((bps, True), (bps - 1, False)):
        again = a_world()
        order = again.bench.order(slipped(again, monkeypatch, a_spec(slippage_bps=tolerance)))
        assert (order.status is Status.CONFIRMED and order.attempts == 1) is fills_at_once


def test_a_fault_that_only_slows_the_swap_leaves_the_blame_to_the_price(
    world: Explaining, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = slipped(world, monkeypatch, a_spec(simulate="slow:100"))
    assert changes(world.explain(order_id))[Change.SLIPPAGE].is_exact
    returned = failure_of(world.bench.order(order_id)).amount_out or 0
    text = next(text for text in world.texts(order_id) if text.startswith("Attempt 1 fails"))
    assert f"It would have returned {wording.received(returned, a_spec())}, and the minimum is " in text


def test_a_price_after_the_expiry_does_not_count(world: Explaining) -> None:
    at = world.bench.clock.now() + timedelta(seconds=5)
    order_id = accept(world.bench, a_limit(120, time_in_force=TimeInForce.GTD, expires_at=at))
    world.bench.clock.sleep(6)
    world.push_unseen(200)
    world.bench.clock.sleep(1)
    assert number(changes(world.explain(order_id))[Change.LIMIT_PRICE]) < 110
    world.bench.engine.market.look()
    assert world.bench.order(order_id).status is Status.EXPIRED
    assert number(changes(world.explain(order_id))[Change.LIMIT_PRICE]) < 110


def test_no_tolerance_up_to_the_maximum_is_suggested_where_none_would_do(
    world: Explaining, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = slipped(world, monkeypatch, a_spec(), "0.4")
    assert Change.SLIPPAGE not in changes(world.explain(order_id))


def test_a_later_moment_is_the_first_at_which_the_minimum_was_back(
    world: Explaining, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.bench.order(slipped(world, monkeypatch, a_spec()))
    assert Change.MOMENT not in changes(world.explain(order.order_id))
    world.bench.clock.sleep(7.3)
    world.push(100)
    pushed_ms = world.bench.clock.now_ms()
    world.bench.clock.sleep(60)
    found = changes(world.explain(order.order_id))[Change.MOMENT]
    assert (moment_ms(found), found.is_exact) == (pushed_ms, True)
    ended_ms, minimum = to_ms(order.events[-1].at), order.min_amount_out or 0
    before = outputs(world, order.spec, ended_ms, pushed_ms - 1)
    assert all(output < minimum for output in before.values())
    assert world.output(order.spec, pushed_ms) >= minimum


def test_a_size_that_moves_the_price_too_far_gets_the_largest_that_does_not(world: Explaining) -> None:
    spec = a_spec(amount_in=10_000 * 10**9)
    order_id = accept(world.bench, spec)
    world.bench.process_all()
    order = world.bench.order(order_id)
    assert order.fail_code == "PRICE_IMPACT_TOO_HIGH"
    found = changes(world.explain(order_id))[Change.AMOUNT_IN]
    assert found.is_exact
    failed = order.events[-1].data
    assert isinstance(failed, Failed)
    assert failed.failure.at_ms
    size = to_base_units(number(found), 9)
    assert world.output(replace(spec, amount_in=size), failed.failure.at_ms) > 0
    assert world.output(replace(spec, amount_in=size + 1), failed.failure.at_ms) == 0


def test_a_size_is_an_estimate_where_the_venue_quoted_from_a_price_about_to_be_replaced(world: Explaining) -> None:
    spec = a_spec(amount_in=10_000 * 10**9)
    order_id = accept(world.bench, spec)
    world.bench.process_all()
    failed = world.bench.order(order_id).events[-1].data
    assert isinstance(failed, Failed)
    assert failed.failure.at_ms
    # The venue did not know this price yet.
    world.push_unseen(140, failed.failure.at_ms)
    assert not changes(world.explain(order_id))[Change.AMOUNT_IN].is_exact


def test_dust_gets_the_least_size_that_brings_anything(world: Explaining) -> None:
    order_id = accept(world.bench, a_spec(amount_in=1))
    world.bench.process_all()
    failed = world.bench.order(order_id).events[-1].data
    assert isinstance(failed, Failed)
    assert failed.failure.at_ms
    size = to_base_units(number(changes(world.explain(order_id))[Change.AMOUNT_IN]), 9)
    assert world.output(a_spec(amount_in=size), failed.failure.at_ms) == 1
    assert world.output(a_spec(amount_in=size - 1), failed.failure.at_ms) == 0


# --- limit orders ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["wait", "cancel", "expire"])
@pytest.mark.parametrize("side", Side)
def test_the_nearest_limit_held_for_a_whole_window_and_a_better_one_never(
    world: Explaining, side: Side, end: str
) -> None:
    spec = a_limit(150 if side is Side.SELL else 70, side)
    if end == "expire":
        expiry = world.bench.clock.now().replace(minute=2)
        spec = replace(spec, time_in_force=TimeInForce.GTD, expires_at=expiry)
    order_id = accept(world.bench, spec)
    since_ms = world.bench.clock.now_ms()
    for price in ("101", "104.2", "96", "99"):
        world.bench.clock.sleep(21.35)
        world.push(price)
    world.bench.clock.sleep(34.6)
    if end == "cancel":
        world.bench.engine.cancel(ANYONE, order_id)
    world.bench.engine.market.look()
    order = world.bench.order(order_id)
    assert order.current_status.value == {"wait": "open", "cancel": "cancelled", "expire": "expired"}[end]
    until_ms = to_ms(order.events[-1].at) if order.is_terminal else world.bench.clock.now_ms()
    found = changes(world.explain(order_id))
    assert set(found) == {Change.LIMIT_PRICE}
    assert found[Change.LIMIT_PRICE].is_exact
    limit = number(found[Change.LIMIT_PRICE])
    better = limit + LIMIT_STEP if side is Side.SELL else limit - LIMIT_STEP
    best = sustained(world, spec, since_ms, until_ms)
    assert (replace(spec, limit_price=limit).limit_min_out or 0) <= best
    assert (replace(spec, limit_price=better).limit_min_out or 0) > best


def test_a_price_that_left_before_a_swap_could_land_is_an_estimate(
    world: Explaining,
) -> None:
    order_id = accept(world.bench, a_limit(150))
    world.bench.clock.sleep(3.05)
    world.push(130)
    pushed_ms = world.bench.clock.now_ms()
    world.bench.clock.sleep(0.1)
    world.push(100)
    world.bench.clock.sleep(3)
    found = changes(world.explain(order_id))[Change.LIMIT_PRICE]
    spec = world.bench.order(order_id).spec
    assert not found.is_exact
    assert found.text.endswith(", for 100 ms; a swap lands up to 10 s after the price that triggers it.")
    assert (replace(spec, limit_price=number(found)).limit_min_out or 0) <= world.output(spec, pushed_ms)
    assert number(found) > 120


def test_a_large_order_gets_the_largest_size_that_met_its_limit(world: Explaining) -> None:
    spec = a_limit(100, amount_in=3_000 * 10**9)
    order_id = accept(world.bench, spec)
    since_ms = world.bench.clock.now_ms()
    world.bench.clock.sleep(30)
    found = changes(world.explain(order_id))[Change.AMOUNT_IN]
    assert found.is_exact
    size = to_base_units(number(found), 9)

    def ever(amount: int) -> bool:
        asked = replace(spec, amount_in=amount)
        return sustained(world, asked, since_ms, world.bench.clock.now_ms()) >= (asked.limit_min_out or 0)

    assert ever(size)
    assert not ever(size + 1)


def test_a_limit_that_held_with_no_look_gets_the_moment_from_which_it_held(world: Explaining) -> None:
    order_id = accept(world.bench, a_limit(110))
    world.bench.clock.sleep(5)
    pushed_ms = world.bench.clock.now_ms()
    world.push_unseen(125)
    world.bench.clock.sleep(12)
    world.push_unseen(100)
    found = changes(world.explain(order_id))
    assert set(found) == {Change.MOMENT}
    assert (moment_ms(found[Change.MOMENT]), found[Change.MOMENT].is_exact) == (pushed_ms, True)


def test_a_limit_that_was_met_between_two_looks_gets_that_moment_as_an_estimate(world: Explaining) -> None:
    order_id = accept(world.bench, a_limit(110))
    world.bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(120)))
    world.bench.clock.sleep(5)
    # The price comes and goes with no look between.
    pushed_ms = world.bench.clock.now_ms()
    world.push_unseen(125)
    world.bench.clock.sleep(2)
    world.push(100)
    found = changes(world.explain(order_id))
    assert set(found) == {Change.MOMENT}
    assert (moment_ms(found[Change.MOMENT]), found[Change.MOMENT].is_exact) == (pushed_ms, False)
    assert ", for 2 s; a swap lands up to 10 s after" in found[Change.MOMENT].text


def test_a_price_of_the_instant_of_expiry_fills_nothing(world: Explaining) -> None:
    at = world.bench.clock.now() + timedelta(seconds=30)
    spec = a_limit(150, time_in_force=TimeInForce.GTD, expires_at=at)
    order_id = accept(world.bench, spec)
    since_ms = world.bench.clock.now_ms()
    world.bench.clock.sleep(30)
    world.push_unseen(140)
    world.bench.engine.market.look()
    found = changes(world.explain(order_id))
    limit = found[Change.LIMIT_PRICE]
    assert limit.is_exact
    held = sustained(world, spec, since_ms, to_ms(at) - 1)
    assert (replace(spec, limit_price=number(limit)).limit_min_out or 0) <= held


def test_the_limit_and_the_size_of_an_amended_order_come_from_the_time_since(world: Explaining) -> None:
    order_id = accept(world.bench, a_limit(200))
    world.bench.clock.sleep(20)
    world.push(50)
    world.bench.clock.sleep(5)
    world.bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(90)))
    since_ms = world.bench.clock.now_ms()
    world.bench.clock.sleep(20)
    found, spec = changes(world.explain(order_id)), world.bench.order(order_id).spec
    assert set(found) == {Change.LIMIT_PRICE}
    best = sustained(world, spec, since_ms, world.bench.clock.now_ms())
    assert found[Change.LIMIT_PRICE].is_exact
    limit = number(found[Change.LIMIT_PRICE])
    assert (replace(spec, limit_price=limit).limit_min_out or 0) <= best
    assert (replace(spec, limit_price=limit + LIMIT_STEP).limit_min_out or 0) > best


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("seed", range(6))
def test_what_is_exact_of_an_amended_order_is_so_by_the_limit_of_each_moment(
    monkeypatch: pytest.MonkeyPatch, seed: int, side: Side
) -> None:
    monkeypatch.setattr(venues, "VENUES", (*venues.VENUES, Orca))
    world, random = a_world(), Random(seed)
    amount = random.choice([10**9, 10**12]) if side is Side.SELL else random.choice([10**8, 10**11])
    order_id = accept(world.bench, a_limit(130 if side is Side.SELL else 75, side, amount_in=amount))
    limits = {world.bench.clock.now_ms(): world.bench.order(order_id).spec}
    for _ in range(5):
        world.bench.clock.sleep(random.choice([0.1, 3.3, 17]))
        world.push_unseen(random.randint(80, 125))
        world.bench.clock.sleep(random.choice([0.1, 2.2]))
        world.push(100)
        if random.random() < 0.5:
            # No two limits are the same: an amendment that changes nothing has no event.
            away = Decimal(random.randint(3, 30)) + Decimal(len(limits)) / 10
            change = Amendment(limit_price=100 + away if side is Side.SELL else 100 - away)
            world.bench.engine.amend(ANYONE, order_id, change)
            limits[world.bench.clock.now_ms()] = world.bench.order(order_id).spec
    order, now_ms = world.bench.order(order_id), world.bench.clock.now_ms()
    assert order.status is Status.OPEN
    found, first_ms, last_ms = changes(world.explain(order_id)), min(limits), max(limits)
    assert found
    moments = sorted({*range(first_ms, now_ms, SLOT_MS // 4), *limits, now_ms})

    window_ms = world.bench.engine.explain.fill_times.window_ms

    def held(spec: OrderSpec, start_ms: int) -> bool:
        window = [at_ms for at_ms in moments if start_ms <= at_ms <= start_ms + window_ms]
        return start_ms + window_ms < now_ms and all(
            world.output(spec, at_ms) >= (spec.limit_min_out or 0) for at_ms in window
        )

    def ever(spec: OrderSpec) -> bool:
        return any(held(spec, at_ms) for at_ms in moments if at_ms >= last_ms)

    for one in (one for one in found.values() if one.is_exact):
        if one.change is Change.MOMENT:
            assert held(limits[max(at_ms for at_ms in limits if at_ms <= moment_ms(one))], moment_ms(one))
            continue
        assert ever(changed(order.spec, one))


def changed(spec: OrderSpec, one: Counterfactual) -> OrderSpec:
    """The order with the suggested limit or size."""
    if one.change is Change.LIMIT_PRICE:
        return replace(spec, limit_price=number(one))
    return replace(spec, amount_in=to_base_units(number(one), spec.token_in.decimals))


def test_a_missed_order_gets_the_limit_at_which_its_swap_would_have_landed(
    world: Explaining, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = accept(world.bench, a_limit(120))
    with monkeypatch.context() as patched:

        def fall() -> None:
            world.push(110)
            world.bench.clock.sleep(1.5)

        before_each_swap(patched, fall)
        world.push(125)
        world.bench.process_all()
    order = world.bench.order(order_id)
    found = changes(world.explain(order_id))
    landed = failure_of(order).amount_out
    assert landed
    assert set(found) == {Change.LIMIT_PRICE}
    limit = number(found[Change.LIMIT_PRICE])
    assert found[Change.LIMIT_PRICE].is_exact
    assert (replace(order.spec, limit_price=limit).limit_min_out or 0) <= landed
    assert (replace(order.spec, limit_price=limit + LIMIT_STEP).limit_min_out or 0) > landed


def test_a_missed_order_gets_the_limit_that_held_later_if_that_is_nearer(
    world: Explaining, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = accept(world.bench, a_limit(120))
    with monkeypatch.context() as patched:

        def fall() -> None:
            world.push(100)
            world.bench.clock.sleep(1.5)

        before_each_swap(patched, fall)
        world.push(125)
        world.bench.process_all()
    world.bench.clock.sleep(20)
    world.push(114)
    pushed = world.bench.clock.now()
    world.bench.clock.sleep(15)
    found = changes(world.explain(order_id))
    assert set(found) == {Change.LIMIT_PRICE}
    limit = found[Change.LIMIT_PRICE]
    assert limit.is_exact
    assert number(limit) > 110
    began = f"A limit of {wording.price(number(limit), a_limit().pair)} would have filled from "
    assert limit.text.startswith(began)
    assert wording.moment(pushed)[:17] in limit.text


def test_an_attempt_that_missed_before_the_limit_was_amended_says_nothing_about_the_new_limit(
    world: Explaining, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = accept(world.bench, a_limit(105))
    world.bench.clock.sleep(3)
    with monkeypatch.context() as patched:

        def fall() -> None:
            world.push(100)
            world.bench.clock.sleep(1.5)

        before_each_swap(patched, fall)
        world.push(110)
        world.bench.process_all()
    world.bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(130)))
    world.bench.clock.sleep(5)
    order = world.bench.order(order_id)
    assert (order.status, order.missed_triggers) == (Status.OPEN, 1)
    [found] = world.explain(order_id).counterfactuals
    assert (found.change, found.is_exact) == (Change.LIMIT_PRICE, False)
    assert "attempt" not in found.text


def test_an_order_that_is_amended_twice_within_a_tick_of_the_market_is_explained(
    world: Explaining, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = accept(world.bench, a_limit(105))
    world.bench.clock.sleep(3)
    with monkeypatch.context() as patched:
        before_each_swap(patched, lambda: world.push(100))
        world.push(110)
        world.bench.process_all()
    for limit in (130, 131, 132):
        world.bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(limit)))
        world.bench.clock.sleep(0.05)
    world.bench.clock.sleep(5)
    assert world.bench.order(order_id).missed_triggers == 1
    assert set(changes(world.explain(order_id))) == {Change.LIMIT_PRICE}


def test_a_long_period_is_sampled_and_gives_an_estimate_close_to_the_best(world: Explaining) -> None:
    spec = a_limit(150)
    order_id = accept(world.bench, spec)
    since_ms = world.bench.clock.now_ms()
    for _ in range(4):
        world.bench.clock.sleep(MAX_MOMENTS * SLOT_MS / 1000)
        world.push(102)
    found = changes(world.explain(order_id))[Change.LIMIT_PRICE]
    assert not found.is_exact
    best = max(outputs(world, spec, since_ms, world.bench.clock.now_ms()).values())
    asked = replace(spec, limit_price=number(found)).limit_min_out or 0
    assert Decimal("0.999") < Decimal(asked) / best <= 1


def test_an_immediate_order_gets_the_limit_and_the_size_of_its_quote_as_estimates(world: Explaining) -> None:
    spec = a_limit(100, amount_in=3_000 * 10**9, time_in_force=TimeInForce.IOC)
    order_id = accept(world.bench, spec)
    world.bench.process_all()
    order, found = world.bench.order(order_id), changes(world.explain(order_id))
    assert order.status is Status.EXPIRED
    assert set(found) == {Change.LIMIT_PRICE, Change.AMOUNT_IN}
    assert not any(one.is_exact for one in found.values())
    assert order.quotes
    quoted = max(answer.quote.amount_out for answer in order.quotes.answers if answer.quote)
    limit = number(found[Change.LIMIT_PRICE])
    assert (replace(spec, limit_price=limit).limit_min_out or 0) <= quoted
    assert (replace(spec, limit_price=limit + LIMIT_STEP).limit_min_out or 0) > quoted


# --- sniper orders -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "change", "value"),
    [
        ({"min_liquidity": Decimal(2000)}, Change.MIN_LIQUIDITY, Decimal(1000)),
        ({"venue": "meteora"}, Change.VENUE, "raydium"),
        ({"max_price": Decimal("0.0005")}, Change.MAX_PRICE, None),
    ],
)
def test_a_refused_launch_names_the_condition_that_would_have_taken_it(
    world: Explaining, filters: dict[str, Any], change: Change, value: Decimal | str | None
) -> None:
    order_id = accept(world.bench, a_sniper(**filters))
    launch = a_launch(world.bench)
    world.announce(launch)
    [found] = world.explain(order_id).counterfactuals
    assert (found.change, found.is_exact) == (change, True)
    assert value in (None, found.value)
    name = {Change.MIN_LIQUIDITY: "min_liquidity", Change.VENUE: "venue", Change.MAX_PRICE: "max_price"}[change]
    for term, triggers in [(found.value, True), *stricter(change, found)]:
        again = an_explaining_bench()
        terms: dict[str, Any] = {**filters, name: term}
        other = accept(again.bench, a_sniper(**terms))
        again.announce(launch)
        assert (again.bench.order(other).status is Status.TRIGGERED) is triggers


@pytest.mark.parametrize("age", [600, 1500])
@pytest.mark.parametrize("wait", [2, 10, 50])
@pytest.mark.parametrize(
    ("filters", "change"),
    [
        ({"max_price": Decimal("0.0005")}, Change.MAX_PRICE),
        ({"max_price": Decimal("0.00102"), "min_liquidity": Decimal(2000)}, Change.MIN_LIQUIDITY),
        ({"max_price": Decimal("0.00102"), "venue": "meteora"}, Change.VENUE),
    ],
)
def test_a_launch_that_is_judged_late_is_explained_by_the_pool_of_that_time(
    age: int, wait: int, filters: dict[str, Any], change: Change
) -> None:
    name = {Change.MIN_LIQUIDITY: "min_liquidity", Change.VENUE: "venue", Change.MAX_PRICE: "max_price"}[change]

    def judged(**terms: Any) -> tuple[Explaining, str]:
        world = a_world()
        world.bench.clock.sleep(age)
        order_id = accept(world.bench, a_sniper(**terms))
        launch = a_launch(world.bench)
        world.bench.clock.sleep(wait)
        world.announce(launch)
        return world, order_id

    world, order_id = judged(**filters)
    # The explanation is asked for later than the pool is judged, and at another price.
    world.bench.clock.sleep(30)
    world.bench.engine.market.push_price(ANYONE, a_sniper().pair, Decimal("0.01"))
    [found] = world.explain(order_id).counterfactuals
    assert (found.change, found.is_exact) == (change, True)
    for term, triggers in [(found.value, True), *stricter(change, found)]:
        again, other = judged(**{**filters, name: term})
        assert (again.bench.order(other).status is Status.TRIGGERED) is triggers


def test_a_refusal_of_an_earlier_version_gives_an_estimate(
    world: Explaining, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = accept(world.bench, a_sniper(max_price=Decimal("0.0005")))
    world.announce(a_launch(world.bench))
    order = world.bench.order(order_id)
    *before, last = order.events
    assert isinstance(last.data, LaunchRefused)
    forgotten = replace(last, data=LaunchRefused(last.data.launch, last.data.reason))
    legacy = Order.replayed(order_id, order.spec, (*before, forgotten))
    monkeypatch.setattr(type(world.bench.orders), "get", lambda *_: StoredOrder(legacy))
    [found] = world.explain(order_id).counterfactuals
    assert (found.change, found.is_exact) == (Change.MAX_PRICE, False)


def stricter(change: Change, found: Counterfactual) -> list[tuple[Decimal, bool]]:
    if change is Change.MIN_LIQUIDITY:
        return [(number(found) + 1, False)]
    return [(number(found) - Decimal("0.00000001"), False)] if change is Change.MAX_PRICE else []


def test_a_launch_that_breaks_two_conditions_has_no_single_remedy(world: Explaining) -> None:
    order_id = accept(world.bench, a_sniper(min_liquidity=Decimal(2000), venue="meteora"))
    world.announce(a_launch(world.bench))
    assert world.explain(order_id).counterfactuals == []


def test_the_nearest_of_several_refused_launches_counts(world: Explaining) -> None:
    order_id = accept(world.bench, a_sniper(min_liquidity=Decimal(2000)))
    for slot, liquidity in enumerate((500, 1500, 900), start=1):
        world.announce(a_launch(world.bench, f"pool {slot}", slot, liquidity=Decimal(liquidity)))
    [found] = world.explain(order_id).counterfactuals
    assert found.value == Decimal(1500)


def test_a_launch_against_another_token_has_no_remedy(world: Explaining) -> None:
    order_id = accept(world.bench, a_sniper())
    world.announce(a_launch(world.bench, quote="USDC"))
    assert world.explain(order_id).counterfactuals == []


# --- what an order does not keep ---------------------------------------------------------------------------


def without_new_fields(event: Event) -> Event:
    match event.data:
        case AttemptStarted(last_failure=Failure(code=code, reason=reason)):
            return replace(event, data=AttemptStarted(Failure(code, reason)))
        case Failed(failure=Failure(code=code, reason=reason)):
            return replace(event, data=Failed(Failure(code, reason)))
    return event


Make = Callable[[Explaining, pytest.MonkeyPatch], str]


@pytest.mark.parametrize(
    "make",
    [
        lambda world, patch: slipped(world, patch, a_spec()),
        lambda world, patch: slipped(world, patch, a_spec(amount_in=10_000 * 10**9)),
        lambda world, patch: slipped(world, patch, a_spec(amount_in=1)),
        lambda world, patch: slipped(world, patch, a_limit(100, time_in_force=TimeInForce.IOC)),
        lambda world, patch: accept(world.bench, a_limit(150)),
    ],
)
def test_an_order_of_an_earlier_version_gives_estimates(
    world: Explaining, monkeypatch: pytest.MonkeyPatch, make: Make
) -> None:
    order = world.bench.order(make(world, monkeypatch))
    world.bench.clock.sleep(3)
    legacy = Order.replayed(order.order_id, order.spec, tuple(map(without_new_fields, order.events)))
    monkeypatch.setattr(SimulatedPast, "is_exact", False)
    monkeypatch.setattr(type(world.bench.orders), "get", lambda *_: StoredOrder(legacy))
    explanation = world.explain(order.order_id)
    assert explanation.counterfactuals
    assert not any(one.is_exact for one in explanation.counterfactuals)


def test_a_cancelled_market_order_has_no_counterfactual(world: Explaining) -> None:
    order_id = world.bench.submit()
    world.bench.engine.cancel(ANYONE, order_id)
    assert world.explain(order_id).counterfactuals == []


def test_a_sniper_order_that_slips_gets_a_slippage_and_no_limit(
    world: Explaining, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = a_sniper()
    assert spec.launch == LaunchTerms(MINT)
    order_id = accept(world.bench, spec)
    world.announce(a_launch(world.bench))
    with monkeypatch.context() as patched:

        def rise() -> None:
            world.bench.engine.market.push_price(ANYONE, spec.pair, Decimal("0.00105"))
            world.bench.clock.sleep(1.5)

        before_each_swap(patched, rise)
        world.bench.process_all()
    assert world.bench.order(order_id).fail_code == "SLIPPAGE_EXCEEDED"
    found = changes(world.explain(order_id))
    assert set(found) == {Change.SLIPPAGE}
    assert Decimal(4) < number(found[Change.SLIPPAGE]) < Decimal(6)
