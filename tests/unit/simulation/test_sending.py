"""Sending of swaps: signatures, fills and their prices, and the failures of simulated faults."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.pool import Pool
from chalicelib.domain.swaps import SwapRequest, Transaction
from chalicelib.domain.tokens import BY_SYMBOL, find_pair
from chalicelib.ports.venues import Venue
from chalicelib.simulation.context import SimulationContext
from chalicelib.simulation.faults import Fault, check_fault, syntax
from chalicelib.simulation.market import PROFILES, SimulatedMarket
from chalicelib.simulation.venues import simulated_venues
from orderengine.testing.fakes.clock import FakeClock
from orderengine.testing.fakes.ledger import FakeLedger
from tests.support.market import a_feed
from tests.support.oracle import SHAPES
from tests.unit.simulation.test_simulation import World, a_request

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
VENUES = ["raydium", "meteora"]
WRAPPED = find_pair(BY_SYMBOL["SOL"], BY_SYMBOL["USDC"])


def faulty_venues(fault: str) -> dict[str, Venue]:
    """The venues of a deployment with this fault."""
    clock = FakeClock()
    market = SimulatedMarket("seed", PROFILES["realistic"])
    return dict(
        simulated_venues(
            SimulationContext(
                market, a_feed(clock.now_ms), FakeLedger(), clock.now_ms, clock.sleep, Decimal(0), Fault.parse(fault)
            )
        )
    )


def built(venue: Venue, request: SwapRequest | None = None, minimum: int = 1) -> Transaction:
    return venue.build(venue.quote(request or a_request()), minimum)


def code_of(venue: Venue, request: SwapRequest) -> FailureCode | None:
    """The failure code of quoting and sending; ``None`` if both succeed."""
    try:
        venue.send(built(venue, request))
    except AttemptFailedError as error:
        return error.code
    return None


@given(st.uuids(), st.integers(1, 3), st.sampled_from(VENUES))
def test_a_signature_is_base58_of_64_bytes_as_on_solana(order_id: object, attempt: int, venue: str) -> None:
    signature = built(World(scale="0").venues[venue], a_request(str(order_id), attempt)).signature
    number = 0
    for character in signature:
        number = number * 58 + ALPHABET.index(character)
    zeros = len(signature) - len(signature.lstrip("1"))
    assert zeros + (number.bit_length() + 7) // 8 == 64


def test_every_quote_has_its_own_signature() -> None:
    world = World(scale="0")
    first = built(world.raydium)
    world.clock.sleep(60)
    later, elsewhere = built(world.raydium), built(world.venues["meteora"])
    assert len({first.signature, later.signature, elsewhere.signature}) == 3


def test_building_puts_nothing_on_the_chain() -> None:
    world = World(scale="0")
    built(world.raydium)
    assert world.ledger.swaps_of("order") == []


def test_a_transaction_sent_twice_swaps_once() -> None:
    world = World()
    transaction = built(world.raydium)
    first = world.raydium.send(transaction)
    assert world.raydium.send(transaction) == first
    assert world.ledger.swaps_of("order") == [first]


@pytest.mark.parametrize("venue", VENUES)
def test_a_swap_fills_at_the_price_of_the_moment_it_lands(venue: str) -> None:
    world = World("drift", profile="brief")
    place = world.venues[venue]
    quote = place.quote(a_request())
    fill = place.send(place.build(quote, 1))
    market, slot = SimulatedMarket("drift", PROFILES["brief"]), world.clock.now_ms() // 400
    pool = market.reserves(SHAPES[venue], quote.request.pair, slot)
    assert pool
    rate = int(quote.fee_bps * 100)
    assert fill.amount_out == Pool(pool.base, pool.quote).swap(quote.request.amount_in, rate).amount_out
    assert fill.amount_out != quote.amount_out
    assert (fill.venue, fill.amount_in) == (venue, quote.request.amount_in)


def test_a_fill_of_exactly_the_minimum_lands_and_one_unit_less_does_not() -> None:
    landed = World().raydium
    fill = landed.send(built(landed))
    exact, short = World(), World()
    assert exact.raydium.send(built(exact.raydium, minimum=fill.amount_out)).amount_out == fill.amount_out
    with pytest.raises(AttemptFailedError) as caught:
        short.raydium.send(built(short.raydium, minimum=fill.amount_out + 1))
    assert caught.value.code is FailureCode.SLIPPAGE_EXCEEDED
    assert short.ledger.swaps_of("order") == []


def test_a_stale_quote_never_lands() -> None:
    world = World()
    transaction = built(world.raydium)
    world.clock.sleep(5.001)
    with pytest.raises(AttemptFailedError) as caught:
        world.raydium.send(transaction)
    assert caught.value.code is FailureCode.STALE_QUOTE
    assert world.ledger.settle(transaction.signature, "order", 0) is None


@pytest.mark.parametrize("venue", VENUES)
@given(order_id=st.uuids(), attempt=st.integers(1, 3), scale=st.sampled_from(["1", "0.5", "0.01"]))
def test_latency_is_in_its_range_and_scales(venue: str, order_id: object, attempt: int, scale: str) -> None:
    world = World(scale=scale)
    place = world.venues[venue]
    place.send(built(place, a_request(str(order_id), attempt)))
    quoting, swapping = (Decimal(str(seconds)) / Decimal(scale) for seconds in world.slept)
    assert Decimal("0.15") <= quoting <= Decimal("0.25")
    assert 2 <= swapping <= 3


def test_after_a_lost_reply_the_ledger_has_the_fill() -> None:
    world = World(scale="0")
    transaction = built(world.raydium, a_request(simulate="landed_reply_lost:1"))
    with pytest.raises(AttemptFailedError) as caught:
        world.raydium.send(transaction)
    assert caught.value.code is FailureCode.TX_OUTCOME_UNKNOWN
    fill = world.ledger.settle(transaction.signature, "order", 0)
    assert world.ledger.swaps_of("order") == [fill]


FAULTS = {
    "network_error": "NETWORK_ERROR",
    "venue_timeout": "VENUE_TIMEOUT",
    "stale_quote": "STALE_QUOTE",
    "slippage": "SLIPPAGE_EXCEEDED",
    "tx_dropped": "TX_DROPPED",
    "landed_reply_lost": "TX_OUTCOME_UNKNOWN",
}


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("name", FAULTS)
def test_a_counted_fault_affects_the_first_attempts_and_no_later_one(name: str, venue: str) -> None:
    place = World(scale="0").venues[venue]
    codes = [code_of(place, a_request(attempt=attempt, simulate=f"{name}:2")) for attempt in (1, 2, 3)]
    assert codes == [FAULTS[name], FAULTS[name], None]


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "landed_reply_lost"])
def test_a_fault_that_keeps_a_swap_from_landing_leaves_nothing_on_the_chain(name: str) -> None:
    world = World(scale="0")
    assert code_of(world.raydium, a_request(simulate=f"{name}:1")) == FAULTS[name]
    assert world.ledger.swaps_of("order") == []


def test_a_venue_that_is_down_does_not_affect_the_other() -> None:
    world = World(scale="0")
    request = a_request(simulate="venue_down:meteora")
    assert code_of(world.venues["meteora"], request) is FailureCode.VENUE_UNAVAILABLE
    assert code_of(world.raydium, request) is None


def test_a_deployments_fault_applies_to_orders_that_ask_for_none() -> None:
    raydium = faulty_venues("tx_dropped:1")["raydium"]
    assert code_of(raydium, a_request()) is FailureCode.TX_DROPPED
    assert code_of(raydium, a_request(attempt=2)) is None
    assert code_of(raydium, a_request(simulate="slippage:1")) is FailureCode.SLIPPAGE_EXCEEDED


@pytest.mark.parametrize(
    "text",
    [*(f"{name}:{count}" for name in FAULTS for count in (1, 3, 99_999)),
     "no_liquidity", "venue_down:raydium", "venue_down:meteora", "slow:0", "slow:5000"],
)  # fmt: skip
def test_every_fault_of_the_specification_is_understood(text: str) -> None:
    name, _, argument = text.partition(":")
    assert Fault.parse(text) == Fault(name, argument)
    check_fault(text, VENUES)
    assert name in syntax(VENUES)


@pytest.mark.parametrize("text", [None, ""])
def test_an_empty_text_is_no_fault(text: str | None) -> None:
    assert Fault.parse(text) == Fault()


@pytest.mark.parametrize(
    "text",
    [
        "NETWORK_ERROR:1",
        " network_error:1",
        "network_error: 1",
        "network_error:-1",
        "network_error:1.5",
        "network_error:1:2",
        "network_error:100000",
        "slippage:",
        "slow",
        "slow:-1",
        "venue_down",
        "venue_down:Raydium",
        "venue_down:raydium,meteora",
        ":1",
    ],
)
def test_a_misspelt_fault_is_refused_with_the_right_spelling(text: str) -> None:
    with pytest.raises(ValueError, match="landed_reply_lost:n"):
        check_fault(text, VENUES)


@given(st.text(max_size=30) | st.from_regex(r"[a-z_]{1,20}:[0-9]{0,6}", fullmatch=True))
def test_any_text_is_a_fault_or_a_value_error(text: str) -> None:
    try:
        fault = Fault.parse(text)
    except ValueError:
        return
    assert fault.extra_ms >= 0
