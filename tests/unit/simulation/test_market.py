"""The simulated market from a trader's point of view: price gaps, paths, fees and pool arithmetic at both venues."""

from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.base58 import base58
from chalicelib.domain.conditions import Launch
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.swaps import Quote, SwapRequest
from chalicelib.domain.tokens import BY_SYMBOL, Pair, find_pair, launched_token
from chalicelib.ports.market import MarketSnapshot, PushedPrice
from chalicelib.ports.venues import Venue
from chalicelib.routing.choice import choose
from chalicelib.simulation.chance import between
from chalicelib.simulation.market import BASE_PRICES_USD, PROFILES, SimulatedMarket
from tests.support.oracle import SHAPES
from tests.unit.simulation.test_simulation import World

SOL, USDC = BY_SYMBOL["SOL"], BY_SYMBOL["USDC"]
PAIRS = [pair for one, other in combinations(BY_SYMBOL.values(), 2) if (pair := find_pair(one, other))]
VENUES = ["raydium", "meteora"]
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
HOUR = 9_000
#: Reserves are whole base units, which costs a price its last digits.
DUST = Decimal("1E-6")

seeds = st.text(min_size=1, max_size=20)
slots = st.integers(0, 10**10)
pairs = st.sampled_from(PAIRS)
venues = st.sampled_from(VENUES)


def price_at(market: SimulatedMarket, venue: str, pair: Pair, slot: int) -> Decimal:
    pool = market.reserves(SHAPES[venue], pair, slot)
    assert pool
    return (Decimal(pool.quote) / pool.base).scaleb(pair.base.decimals - pair.quote.decimals)


def gap_at(market: SimulatedMarket, pair: Pair, slot: int) -> Decimal:
    low, high = sorted(price_at(market, venue, pair, slot) for venue in VENUES)
    return high / low - 1


def middle_at(market: SimulatedMarket, pair: Pair, slot: int) -> Decimal:
    return sum((price_at(market, venue, pair, slot) for venue in VENUES), Decimal(0)) / 2


def a_swap(pair: Pair, amount_in: int, *, buy: bool) -> SwapRequest:
    paid, bought = (pair.quote, pair.base) if buy else (pair.base, pair.quote)
    return SwapRequest(pair, paid, bought, amount_in, "order")


def sold(venue: Venue, sol: Decimal | int) -> Quote:
    return venue.quote(SwapRequest(PAIRS[0], SOL, USDC, int(sol * 10**9), "order"))


def test_every_token_of_the_registry_has_a_base_price() -> None:
    assert set(BASE_PRICES_USD) == set(BY_SYMBOL)
    assert min(BASE_PRICES_USD.values()) > 0


@pytest.mark.parametrize("profile", ["realistic", "brief"])
@given(seeds, slots, pairs)
def test_the_venues_are_two_to_five_percent_apart_on_every_market(
    profile: str, seed: str, slot: int, pair: Pair
) -> None:
    assert (
        Decimal("0.02") - DUST
        <= gap_at(SimulatedMarket(seed, PROFILES[profile]), pair, slot)
        <= Decimal("0.05") + DUST
    )


@given(seeds, slots, pairs)
def test_flat_venues_are_within_twenty_bps_on_every_market(seed: str, slot: int, pair: Pair) -> None:
    assert gap_at(SimulatedMarket(seed, PROFILES["flat"]), pair, slot) <= Decimal("0.002") + DUST


def test_the_gap_uses_its_whole_range_and_either_venue_may_be_dearer() -> None:
    market = SimulatedMarket("seed", PROFILES["realistic"])
    times = range(0, 300 * HOUR, HOUR)
    gaps = [gap_at(market, PAIRS[0], slot) for slot in times]
    dearer = {
        price_at(market, "raydium", PAIRS[0], slot) > price_at(market, "meteora", PAIRS[0], slot) for slot in times
    }
    assert min(gaps) < Decimal("0.021")
    assert max(gaps) > Decimal("0.049")
    assert dearer == {True, False}


@given(seeds, slots, pairs, st.sampled_from(list(PROFILES)))
def test_the_reference_price_moves_in_small_steps_around_the_base_price(
    seed: str, slot: int, pair: Pair, profile: str
) -> None:
    market = SimulatedMarket(seed, PROFILES[profile])
    now, next_slot = middle_at(market, pair, slot), middle_at(market, pair, slot + 1)
    assert (
        abs(now / (BASE_PRICES_USD[pair.base.symbol] / BASE_PRICES_USD[pair.quote.symbol]) - 1)
        <= Decimal("0.03") + DUST
    )
    assert abs(next_slot / now - 1) <= Decimal("0.001")


@given(seeds, slots, pairs, venues)
def test_within_the_hour_a_venues_price_moves_in_small_steps_too(
    seed: str, slot: int, pair: Pair, venue: str
) -> None:
    if slot // HOUR == (slot + 1) // HOUR:
        market = SimulatedMarket(seed, PROFILES["realistic"])
        step = price_at(market, venue, pair, slot + 1) / price_at(market, venue, pair, slot) - 1
        assert abs(step) <= Decimal("0.001")


def test_every_seed_and_every_pair_has_its_own_path() -> None:
    def path(seed: str, pair: Pair) -> list[Decimal]:
        market = SimulatedMarket(seed, PROFILES["realistic"])
        base = BASE_PRICES_USD[pair.base.symbol] / BASE_PRICES_USD[pair.quote.symbol]
        return [round(middle_at(market, pair, slot) / base, 6) for slot in range(0, 1000, 100)]

    one = path("one", PAIRS[0])
    assert one == path("one", PAIRS[0])
    assert one != path("two", PAIRS[0])
    assert one != path("one", PAIRS[1])


@pytest.mark.parametrize(
    ("profile", "raydium", "meteora"), [("realistic", 25, 20), ("flat", 25, 20), ("brief", 30, 20)]
)
def test_small_trades_pay_the_fee_of_the_profile(profile: str, raydium: int, meteora: int) -> None:
    world = World(scale="0", profile=profile)
    # A tenth of a SOL is a millionth of the pool, so impact changes only the third decimal.
    paid = [sold(world.venues[venue], Decimal("0.1")).fee_bps for venue in VENUES]
    assert [round(bps, 2) for bps in paid] == [raydium, meteora]


def test_a_large_trade_pays_a_higher_fee_at_meteora_in_two_profiles_only() -> None:
    fees = {profile: sold(World(scale="0", profile=profile).venues["meteora"], 5_000).fee_bps for profile in PROFILES}
    assert fees["brief"] == 20
    assert fees["realistic"] > 20
    assert fees["flat"] > 20


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("profile", PROFILES)
def test_the_quoted_fee_rate_matches_the_fee(profile: str, venue: str) -> None:
    quote = sold(World(scale="0", profile=profile).venues[venue], 1_234)
    taken = Decimal(quote.fee) * 10_000 / quote.request.amount_in
    assert abs(taken - quote.fee_bps) <= Decimal("0.0001")


@given(seeds, pairs, venues, st.booleans(), st.integers(1, 2**64 - 1))
def test_no_trade_takes_value_out_of_a_venues_pool(seed: str, pair: Pair, venue: str, buy: bool, amount: int) -> None:
    world = World(seed, "0")
    quote = world.venues[venue].quote(a_swap(pair, amount, buy=buy))
    pool = SimulatedMarket(seed, PROFILES["realistic"]).reserves(SHAPES[venue], pair, quote.quoted_at_ms // 400)
    assert pool
    x, y = (pool.quote, pool.base) if buy else (pool.base, pool.quote)
    assert (x + amount) * (y - quote.amount_out) >= x * y
    assert 0 <= quote.amount_out < y


@given(seeds, pairs, venues, st.booleans(), st.integers(1, 2**64 - 1))
def test_a_round_trip_at_one_venue_never_gains(seed: str, pair: Pair, venue: str, buy: bool, amount: int) -> None:
    place = World(seed, "0").venues[venue]
    bought = place.quote(a_swap(pair, amount, buy=buy)).amount_out
    if bought:
        assert place.quote(a_swap(pair, bought, buy=not buy)).amount_out <= amount


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("step_bps", ["20", "20.01", "21", "25", "35"])
def test_one_base_unit_more_input_never_gives_less_output(venue: str, step_bps: str) -> None:
    """Searches the amounts at which the quoted fee rate steps up, where an output could fall."""
    place = World(scale="0").venues[venue]

    def quote(amount: int) -> Quote:
        return place.quote(SwapRequest(PAIRS[0], SOL, USDC, amount, "order"))

    low, high = 2, 10**15
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if quote(middle).fee_bps > Decimal(step_bps) else (middle + 1, high)
    assert quote(low - 1).amount_out <= quote(low).amount_out <= quote(low + 1).amount_out


def test_the_deeper_pool_wins_in_the_flat_profile_and_never_in_the_realistic_one() -> None:
    def reasons(profile: str) -> str:
        worlds = [World(f"seed {number}", "0", profile) for number in range(50)]
        return " ".join(
            choose({name: sold(venue, 1) for name, venue in world.venues.items()}).reason for world in worlds
        )

    assert "deeper pool" in reasons("flat")
    assert "deeper pool" not in reasons("realistic")


@given(st.integers(-100, 100), st.integers(0, 5), seeds)
def test_a_draw_stays_in_its_range_and_reaches_both_ends(low: int, width: int, seed: str) -> None:
    drawn = {between(low, low + width, seed, "p", number) for number in range(200)}
    assert drawn == set(range(low, low + width + 1))


@given(st.binary(max_size=70))
def test_base58_keeps_every_byte(data: bytes) -> None:
    text = base58(data)
    number = 0
    for character in text:
        number = number * 58 + ALPHABET.index(character)
    zeros = len(text) - len(text.lstrip("1"))
    assert b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big") == data


@given(seeds, slots, pairs, venues, st.integers(-18, 20))
def test_no_pushed_price_makes_a_pool_hold_more_than_an_account_can(
    seed: str, slot: int, pair: Pair, venue: str, power: int
) -> None:
    market = SimulatedMarket(seed, PROFILES["realistic"])
    pushed = MarketSnapshot(PushedPrice(Decimal(1).scaleb(power), 0))
    listed = market.reserves(SHAPES[venue], pair, slot, pushed)
    mint = launched_token("HMcfnsfPdBANkJYL6aPEZzs5CgC7Y1wY51rKTxnnHxHU")
    assert mint
    launch = Launch(mint.mint, venue, "pool", 0, Decimal(1).scaleb(power), Decimal(1).scaleb(abs(power)), 0)
    launched = market.reserves(SHAPES[venue], Pair(mint, USDC), slot, MarketSnapshot(launch=launch), launch.opened)
    for pool in (listed, launched):
        assert pool
        assert max(pool.base, pool.quote) <= MAX_BASE_UNITS
