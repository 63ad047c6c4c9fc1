"""A replay computes what an order keeps once more: to the last digit for every order that this version executes."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from chalicelib.api.responses.explanations import replay_body
from chalicelib.codec.events import data_to_json
from chalicelib.domain.conditions import Amendment, TimeInForce
from chalicelib.domain.errors import RefusedError
from chalicelib.domain.events import AttemptStarted, Confirmed, Event, EventData, Failed, QuotesReceived, VenueAnswer
from chalicelib.domain.failures import AttemptFailedError, Failure, FailureCode
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.domain.tokens import Side
from chalicelib.ports.market import PushedPrice
from chalicelib.services.orders.replay import ReplayReport
from chalicelib.simulation import venues
from chalicelib.simulation.context import SimulationContext
from chalicelib.simulation.venue import SimulatedVenue
from tests.support.callers import ANYONE
from tests.support.open_orders import SOL_USDC, a_launch, a_limit, a_sniper, accept, push
from tests.support.orca import Orca
from tests.support.workbench import Workbench, a_workbench

#: The market data cache is on, and venues take their time.
DEFAULTS: dict[str, Any] = {"venue_time_scale": Decimal(1)}
COUNTED = ("network_error", "venue_timeout", "stale_quote", "slippage", "tx_dropped", "landed_reply_lost")
FAULTS = (
    *(f"{name}:{attempts}" for name in COUNTED for attempts in (1, 2, 3)),
    *("no_liquidity", "venue_down:raydium", "venue_down:meteora", "slow:4000"),
)
_PATHS = 40


@pytest.fixture
def bench() -> Workbench:
    return a_workbench(**DEFAULTS)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """Functions to call in turn, one whenever a venue has taken its time for a quote or a swap."""
    to_call: list[Callable[[], None]] = []
    wait = SimulatedVenue._wait

    def wait_and_call(venue: SimulatedVenue, *arguments: Any) -> None:
        wait(venue, *arguments)
        with suppress(IndexError):
            to_call.pop(0)()

    monkeypatch.setattr(SimulatedVenue, "_wait", wait_and_call)
    return to_call


def replay(bench: Workbench, order_id: str) -> ReplayReport:
    return bench.engine.replay(bench.order(order_id))


def matching(bench: Workbench, order_id: str) -> int:
    """The number of values that the replay of a matching order compares."""
    report = replay(bench, order_id)
    assert (report.differences, report.unknown) == ((), 0)
    return report.checked


def with_events(order: Order, change: Callable[[EventData], EventData]) -> Order:
    """The order as if its events had kept other data."""
    events = tuple(Event(one.seq, one.attempt, one.at, change(one.data)) for one in order.events)
    return Order.replayed(order.order_id, order.spec, events)


# --- every kind of life ------------------------------------------------------------------------------------


def test_a_replay_compares_quotes_choice_minimum_signature_and_fill(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.process_all()
    # Six values of each quote, venue and reason, minimum and steps, signature, and three values of the fill.
    assert matching(bench, order_id) == 12 + 2 + 2 + 1 + 3


@pytest.mark.parametrize("fault", FAULTS)
def test_an_order_with_a_fault_replays_to_the_last_digit(bench: Workbench, fault: str) -> None:
    order_id = bench.submit(simulate=fault)
    bench.process_all()
    assert bench.order(order_id).is_terminal
    assert matching(bench, order_id) > 0


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("fault", [None, "slippage:1", "tx_dropped:1", "venue_down:raydium"])
def test_a_limit_order_replays_after_triggers_misses_and_amendments(
    bench: Workbench, side: Side, fault: str | None
) -> None:
    push(bench, 100)
    far, met = (150, 160) if side is Side.SELL else (60, 50)
    order_id = accept(bench, a_limit(far, side, simulate=fault))
    bench.engine.amend(ANYONE, order_id, Amendment(Decimal(far) + (1 if side is Side.BUY else -1)))
    for _ in range(3):
        push(bench, met)
        bench.process_all()
        bench.clock.sleep(120)
        bench.engine.market.look()
    assert bench.order(order_id).status is Status.CONFIRMED
    assert matching(bench, order_id) > 0


def test_an_order_of_one_attempt_that_misses_replays(bench: Workbench) -> None:
    push(bench, 100)
    order_id = accept(bench, a_limit(150, time_in_force=TimeInForce.IOC))
    bench.process_all()
    assert bench.order(order_id).status is Status.EXPIRED
    assert matching(bench, order_id) > 0


def test_a_sniper_order_replays_in_the_launch_that_its_venue_knew(
    bench: Workbench, waits: list[Callable[[], None]]
) -> None:
    order_id = accept(bench, a_sniper(simulate="tx_dropped:1"))
    bench.engine.market.announce_launch(ANYONE, a_launch(bench))

    def launch_again() -> None:
        bench.markets.announce(a_launch(bench, slot=2, price=Decimal("0.00101"), liquidity=Decimal(2000)))

    waits += [lambda: None, launch_again]
    bench.process_all()
    order = bench.order(order_id)
    assert order.status is Status.CONFIRMED
    slots = {one.quote.launch_slot for event in order.events for one in answers(event.data) if one.quote}
    assert slots == {1, 2}
    assert matching(bench, order_id) > 0


def answers(data: EventData) -> tuple[VenueAnswer, ...]:
    return data.answers if isinstance(data, QuotesReceived) else ()


def test_an_order_that_a_third_venue_fills_replays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(venues, "VENUES", (*venues.VENUES, Orca))
    bench = a_workbench(**DEFAULTS, venue_profile="flat")
    order_id = bench.submit()
    bench.process_all()
    assert bench.order(order_id).venue == "orca"
    assert matching(bench, order_id) == 18 + 2 + 2 + 1 + 3


def test_a_price_that_is_pushed_during_the_swap_fails_it_and_the_replay_too(
    bench: Workbench, waits: list[Callable[[], None]]
) -> None:
    push(bench, 100)
    order_id = bench.submit()
    # The cache ends during the swap, so the venue sees the price as the transaction lands.
    fall = PushedPrice(Decimal(90), bench.clock.now_ms() + 1)
    waits += [lambda: None, lambda: None, lambda: bench.markets.push_price(SOL_USDC, fall)]
    bench.process()
    [failure] = [data.last_failure for data in data_of(bench, order_id, AttemptStarted) if data.last_failure]
    assert (failure.code, failure.price_at_ms) == (FailureCode.SLIPPAGE_EXCEEDED, fall.at_ms)
    assert failure.amount_out is not None
    bench.process_all()
    assert matching(bench, order_id) > 0


def data_of(bench: Workbench, order_id: str, kind: type) -> list[Any]:
    return [event.data for event in bench.order(order_id).events if isinstance(event.data, kind)]


def test_a_quote_that_is_too_old_when_it_is_sent_fails_again(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit()
    send = SimulatedVenue.send

    def send_late(venue: SimulatedVenue, transaction: Any) -> Any:
        bench.clock.sleep(6)
        return send(venue, transaction)

    monkeypatch.setattr(SimulatedVenue, "send", send_late)
    bench.process_all()
    order = bench.order(order_id)
    assert order.fail_code is FailureCode.STALE_QUOTE
    assert matching(bench, order_id) == 3 * (12 + 2 + 2 + 1 + 1)


def test_a_quote_from_the_cache_replays_with_the_price_that_was_in_it(bench: Workbench) -> None:
    for before in (None, Decimal(100)):
        if before:
            bench.clock.sleep(5)
            push(bench, before)
        known = bench.markets.snapshot(SOL_USDC).price_at_ms
        bench.engine.queries.router.depths(SOL_USDC)
        # Another process pushes this one.
        bench.markets.push_price(SOL_USDC, PushedPrice(Decimal(120), bench.clock.now_ms()))
        order_id = bench.submit()
        bench.process()
        quote = data_of(bench, order_id, QuotesReceived)[0].answers[0].quote
        assert quote.price_at_ms == known
        assert matching(bench, order_id) > 0


def test_an_order_that_is_on_its_way_replays_so_far(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = bench.submit()
    assert replay(bench, order_id).checked == 0

    def die(context: SimulationContext, *_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(SimulatedVenue, "send", die)
    with suppress(KeyboardInterrupt):
        bench.process()
    assert bench.order(order_id).status is Status.SUBMITTED
    assert matching(bench, order_id) == 12 + 2 + 2 + 1


# --- many lives --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(_PATHS))
def test_every_life_on_a_moving_market_replays(seed: int, waits: list[Callable[[], None]]) -> None:
    random = Random(seed)
    profile = random.choice(["realistic", "brief", "flat"])
    bench = a_workbench(**DEFAULTS, venue_seed=f"life-{seed}", venue_profile=profile)

    def push_price() -> None:
        price = Decimal(random.randint(80 * 10**9, 125 * 10**9)).scaleb(-9)
        bench.markets.push_price(SOL_USDC, PushedPrice(price, bench.clock.now_ms()))

    def launch() -> None:
        liquidity, price = Decimal(random.randint(50, 5000)), Decimal(random.randint(1, 9)).scaleb(-3)
        with suppress(RefusedError):
            bench.engine.market.announce_launch(
                ANYONE, a_launch(bench, slot=random.randint(1, 9), price=price, liquidity=liquidity)
            )

    def submit() -> None:
        fault = random.choice([None, None, *FAULTS])
        limit = a_limit(random.randint(85, 120), random.choice(list(Side)), simulate=fault)
        amounts = [1, 10**6, 10**9, 3 * 10**12, 10**13]
        specs = [limit, replace(limit, amount_in=random.choice(amounts)), a_sniper(simulate=fault)]
        with suppress(RefusedError):
            if random.random() < 0.5:
                ids.append(bench.submit(simulate=fault, amount_in=random.choice(amounts)))
            else:
                ids.append(accept(bench, random.choice(specs)))

    def work() -> None:
        waits.extend(random.choice([push_price, lambda: None, launch]) for _ in range(6))
        if bench.order_queue.bodies:
            bench.process()
        waits.clear()

    def tick() -> None:
        bench.clock.sleep(random.choice([0.001, 0.3, 0.9, 5, 61, 900]))
        bench.engine.market.look()

    ids: list[str] = []
    for _ in range(30):
        random.choice([submit, submit, work, work, tick, push_price, launch])()
    bench.process_all()
    assert sum(matching(bench, order_id) for order_id in ids) > 0


# --- what differs ------------------------------------------------------------------------------------------


def test_another_seed_shows_as_differences(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.process_all()
    other = a_workbench(**DEFAULTS, venue_seed="another")
    report = other.engine.replay(bench.order(order_id))
    assert not report.matches
    fields = {(one.seq, one.field) for one in report.differences}
    assert {(3, "raydium.amountOutBase"), (3, "meteora.price")} <= fields
    assert all(one.kept != one.computed for one in report.differences)
    body = replay_body(report)
    assert (body["matches"], body["checked"]) == (False, report.checked)
    assert body["differences"][0].keys() == {"seq", "field", "kept", "computed"}


def test_a_changed_value_shows_as_a_difference_of_its_event(bench: Workbench) -> None:
    order_id = bench.submit(simulate="slippage:1")
    bench.process_all()

    def more(data: EventData) -> EventData:
        return replace(data, amount_out=data.amount_out + 1) if isinstance(data, Confirmed) else data

    def milder(data: EventData) -> EventData:
        if isinstance(data, AttemptStarted) and data.last_failure:
            return AttemptStarted(replace(data.last_failure, code=FailureCode.NETWORK_ERROR))
        return data

    order = bench.order(order_id)
    [seq, last] = [event.seq for event in order.events if isinstance(event.data, AttemptStarted | Confirmed)][1:]
    for change, where in ((more, (last, "amountOutBase")), (milder, (seq, "error"))):
        [found] = bench.engine.replay(with_events(order, change)).differences
        assert (found.seq, found.field) == where


# --- what cannot be compared -------------------------------------------------------------------------------


def test_an_order_of_an_earlier_version_has_nothing_to_compare(bench: Workbench) -> None:
    order_id = bench.submit(simulate="slippage:1")
    bench.process_all()

    def forgotten(data: EventData) -> EventData:
        match data:
            case QuotesReceived():
                kept = tuple(
                    replace(one, quote=one.quote and replace(one.quote, quoted_at_ms=None)) for one in data.answers
                )
                return replace(data, answers=kept)
            case Confirmed():
                return replace(data, landed_at_ms=None)
            case AttemptStarted(last_failure=Failure() as failure):
                return AttemptStarted(replace(failure, at_ms=None, amount_out=None))
            case _:
                return data

    old = with_events(bench.order(order_id), forgotten)
    assert bench.engine.replay(old) == ReplayReport(order_id, 0, (), 0)


def test_a_price_that_is_not_kept_any_more_leaves_its_values_unknown(bench: Workbench) -> None:
    push(bench, 100)
    order_id = bench.submit()
    bench.process_all()
    push(bench, 101)
    assert matching(bench, order_id) > 0
    bench.markets._replaced.clear()
    report = replay(bench, order_id)
    assert (report.checked, report.matches, report.unknown) == (0, True, 2)


def test_failures_that_no_venue_decides_are_not_compared(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_late(*_: Any) -> Any:
        raise AttemptFailedError(FailureCode.VENUE_TIMEOUT, "did not answer in time")

    monkeypatch.setattr(SimulatedVenue, "quote", is_late)
    order_id = bench.submit()
    bench.process_all()
    monkeypatch.undo()
    assert [data.failure.code for data in data_of(bench, order_id, Failed)] == [FailureCode.VENUE_TIMEOUT]
    assert matching(bench, order_id) == 0


def test_what_an_order_keeps_for_its_replay_is_small(bench: Workbench) -> None:
    push(bench, 100)
    order_id = bench.submit()
    bench.process_all()

    def size(order: Order) -> int:
        return sum(len(data_to_json(event.data)) for event in order.events)

    order = bench.order(order_id)

    def forgotten(data: EventData) -> EventData:
        match data:
            case QuotesReceived():
                quotes = [one.quote for one in data.answers if one.quote]
                kept = [replace(quote, quoted_at_ms=None, price_at_ms=None) for quote in quotes]
                pairs = zip(data.answers, kept, strict=True)
                return replace(data, answers=tuple(replace(one, quote=quote) for one, quote in pairs))
            case Confirmed():
                return replace(data, landed_at_ms=None, price_at_ms=None)
            case _:
                return data

    assert 0 < size(order) - size(with_events(order, forgotten)) < 200
