"""The simulated market and venues: repeatable and bounded, with faults on request."""

import os
import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.swaps import SwapRequest
from chalicelib.domain.tokens import BY_SYMBOL, Pair, find_pair
from chalicelib.ports.venues import Venue
from chalicelib.simulation.chance import between, smooth
from chalicelib.simulation.context import SimulationContext
from chalicelib.simulation.faults import check_fault
from chalicelib.simulation.market import BASE_PRICES_USD, PROFILES, SimulatedMarket
from chalicelib.simulation.venues import simulated_venues
from orderengine.testing.fakes.clock import FakeClock
from orderengine.testing.fakes.ledger import FakeLedger
from tests.support.market import a_feed
from tests.support.oracle import SHAPES

SOL, USDC, BONK = BY_SYMBOL["SOL"], BY_SYMBOL["USDC"], BY_SYMBOL["BONK"]
PAIRS = [pair for token in BY_SYMBOL.values() if token != USDC and (pair := find_pair(token, USDC))]
seeds = st.text(min_size=1, max_size=20)
slots = st.integers(0, 10**10)


class World:
    """Venues on a fake clock. ``slept`` lists every sleep in seconds."""

    def __init__(self, seed: str = "seed", scale: str = "1", profile: str = "realistic") -> None:
        self.clock = FakeClock()
        self.ledger = FakeLedger()
        self.slept: list[float] = []

        def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            self.clock.sleep(seconds)

        self.venues = simulated_venues(
            SimulationContext(
                SimulatedMarket(seed, PROFILES[profile]),
                a_feed(self.clock.now_ms),
                self.ledger,
                self.clock.now_ms,
                sleep,
                Decimal(scale),
            )
        )

    @property
    def raydium(self) -> Venue:
        return self.venues["raydium"]


def a_request(order_id: str = "order", attempt: int = 1, simulate: str | None = None, **changes: int) -> SwapRequest:
    pair = find_pair(SOL, USDC)
    assert pair is not None
    return SwapRequest(pair, SOL, USDC, changes.get("amount_in", 2 * 10**9), order_id, attempt, simulate)


def prices(market: SimulatedMarket, pair: Pair, slot: int) -> tuple[Decimal, Decimal]:
    pools = [market.reserves(SHAPES[venue], pair, slot) for venue in ("raydium", "meteora")]
    high, low = sorted((Decimal(pool.quote) / pool.base for pool in pools if pool), reverse=True)
    return high, low


@given(seeds, slots, st.sampled_from(PAIRS), st.sampled_from(["realistic", "brief"]))
def test_the_venues_prices_are_two_to_five_percent_apart(seed: str, slot: int, pair: Pair, profile: str) -> None:
    high, low = prices(SimulatedMarket(seed, PROFILES[profile]), pair, slot)
    assert Decimal("0.019999") <= high / low - 1 <= Decimal("0.050001")


@given(seeds, slots, st.sampled_from(PAIRS))
def test_the_venues_prices_are_within_twenty_bps_in_the_flat_profile(seed: str, slot: int, pair: Pair) -> None:
    high, low = prices(SimulatedMarket(seed, PROFILES["flat"]), pair, slot)
    assert 0 <= high / low - 1 <= Decimal("0.002001")


@given(seeds, slots, st.sampled_from(PAIRS))
def test_prices_stay_around_the_base_price(seed: str, slot: int, pair: Pair) -> None:
    high, low = prices(SimulatedMarket(seed, PROFILES["realistic"]), pair, slot)
    base = (BASE_PRICES_USD[pair.base.symbol] / BASE_PRICES_USD[pair.quote.symbol]).scaleb(
        pair.quote.decimals - pair.base.decimals
    )
    assert base * Decimal("0.94") < low < high < base * Decimal("1.06")


@given(seeds, st.integers(0, 10**9), st.integers(-100, 100), st.integers(0, 200))
def test_a_smooth_path_never_leaves_its_range_and_meets_its_knots(seed: str, tick: int, low: int, width: int) -> None:
    value = smooth(low, low + width, tick, 150, seed, "p")
    assert low <= value <= low + width
    assert smooth(low, low + width, tick * 150, 150, seed, "p") == between(low, low + width, seed, "p", tick)


def test_every_process_computes_the_same_quote_and_signature() -> None:
    program = (
        "from tests.unit.simulation.test_simulation import World, a_request;"
        "w = World(); q = w.raydium.quote(a_request()); print(q, w.raydium.build(q, 1).signature)"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


@given(st.uuids(), st.integers(1, 3))
def test_quotes_take_a_fifth_of_a_second_and_swaps_two_to_three(order_id: object, attempt: int) -> None:
    world = World()
    quote = world.raydium.quote(a_request(str(order_id), attempt))
    world.raydium.send(world.raydium.build(quote, 1))
    quoting, swapping = world.slept
    assert 0.15 <= quoting <= 0.25
    assert 2 <= swapping <= 3


def test_without_latency_no_venue_sleeps() -> None:
    world = World(scale="0")
    world.raydium.send(world.raydium.build(world.raydium.quote(a_request()), 1))
    assert world.slept == []


@given(st.integers(1, 10**13), seeds)
def test_a_round_trip_through_meteora_never_gains(amount: int, seed: str) -> None:
    world = World(seed, "0")
    meteora = world.venues["meteora"]
    out = meteora.quote(a_request(amount_in=amount)).amount_out
    pair = find_pair(SOL, USDC)
    assert pair is not None
    if out:
        back = meteora.quote(SwapRequest(pair, USDC, SOL, out)).amount_out
        assert back <= amount


def test_more_input_gives_more_output_at_meteora_although_its_fee_grows() -> None:
    meteora = World(scale="0").venues["meteora"]
    outs = [meteora.quote(a_request(amount_in=10**9 * size)).amount_out for size in (1, 10, 100, 1000, 5000, 20000)]
    assert outs == sorted(outs)


def test_a_signature_is_known_before_sending_and_belongs_to_one_attempt() -> None:
    world = World(scale="0")
    raydium = world.raydium

    def signature(request: SwapRequest) -> str:
        return raydium.build(raydium.quote(request), 1).signature

    first = signature(a_request())
    assert signature(a_request()) == first
    assert len({first, signature(a_request(attempt=2)), signature(a_request("other"))}) == 3
    assert 86 <= len(first) <= 88
    transaction = raydium.build(raydium.quote(a_request()), 1)
    assert raydium.send(transaction).signature == first


@pytest.mark.parametrize(
    ("token_in", "token_out", "steps"),
    [(SOL, USDC, ("wrapSol", "swap")), (USDC, SOL, ("swap", "unwrapSol")), (BONK, USDC, ("swap",))],
)
def test_native_sol_is_wrapped_before_and_unwrapped_after(token_in: object, token_out: object, steps: object) -> None:
    pair = find_pair(token_in, token_out)  # type: ignore[arg-type]
    assert pair is not None
    request = SwapRequest(pair, token_in, token_out, 10**6)  # type: ignore[arg-type]
    raydium = World(scale="0").raydium
    assert raydium.build(raydium.quote(request), 1).steps == steps


def failure(world: World, request: SwapRequest, minimum: int = 1, wait: float = 0) -> FailureCode:
    quote = world.raydium.quote(request)
    transaction = world.raydium.build(quote, minimum)
    world.clock.sleep(wait)
    with pytest.raises(AttemptFailedError) as caught:
        world.raydium.send(transaction)
    return caught.value.code


def test_a_quote_is_valid_for_five_seconds() -> None:
    world = World()
    assert failure(world, a_request(), wait=5.001) is FailureCode.STALE_QUOTE
    quote = world.raydium.quote(a_request())
    world.clock.sleep(5)
    assert world.raydium.send(world.raydium.build(quote, 1)).amount_out > 0


def test_a_fill_below_the_minimum_does_not_happen() -> None:
    world = World()
    assert failure(world, a_request(), minimum=10**18) is FailureCode.SLIPPAGE_EXCEEDED
    assert world.ledger.swaps_of("order") == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("stale_quote:1", FailureCode.STALE_QUOTE),
        ("slippage:1", FailureCode.SLIPPAGE_EXCEEDED),
        ("tx_dropped:1", FailureCode.TX_DROPPED),
        ("landed_reply_lost:1", FailureCode.TX_OUTCOME_UNKNOWN),
    ],
)
def test_a_fault_while_sending_affects_the_attempts_it_names(fault: str, code: FailureCode) -> None:
    world = World()
    assert failure(world, a_request(simulate=fault)) is code
    landed = fault.startswith("landed")
    assert len(world.ledger.swaps_of("order")) == landed
    second = world.raydium.quote(a_request("next", attempt=2, simulate=fault))
    assert world.raydium.send(world.raydium.build(second, 1)).order_id == "next"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("network_error:1", FailureCode.NETWORK_ERROR),
        ("venue_timeout:1", FailureCode.VENUE_TIMEOUT),
        ("no_liquidity", FailureCode.NO_LIQUIDITY),
        ("venue_down:raydium", FailureCode.VENUE_UNAVAILABLE),
    ],
)
def test_a_fault_while_quoting_fails_the_quote(fault: str, code: FailureCode) -> None:
    with pytest.raises(AttemptFailedError) as caught:
        World().raydium.quote(a_request(simulate=fault))
    assert caught.value.code is code


def test_slow_adds_its_milliseconds_to_the_swap() -> None:
    world = World(scale="0")
    quote = world.raydium.quote(a_request(simulate="slow:700"))
    assert world.slept == []
    world.raydium.send(world.raydium.build(quote, 1))
    assert world.slept == [0.7]


def test_a_stored_order_that_asks_for_a_longer_time_holds_its_slot_no_longer_than_others() -> None:
    world = World(scale="0")
    quote = world.raydium.quote(a_request(simulate="slow:10000"))
    world.raydium.send(world.raydium.build(quote, 1))
    assert world.slept == [5]


@pytest.mark.parametrize(
    "text",
    [
        "meteor",
        "network_error",
        "network_error:0",
        "network_error:x",
        "no_liquidity:1",
        "venue_down:orca",
        "slow:5001",
        "slow:",
        "slow:٣",
    ],
)
def test_an_unknown_fault_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be one of"):
        check_fault(text, ["raydium", "meteora"])


def test_a_voided_signature_can_no_longer_land() -> None:
    world = World(scale="0")
    transaction = world.raydium.build(world.raydium.quote(a_request()), 1)
    assert world.ledger.settle(transaction.signature, "order", 0) is None
    with pytest.raises(AttemptFailedError) as caught:
        world.raydium.send(transaction)
    assert caught.value.code is FailureCode.TX_DROPPED
