"""What every ``MarketStore`` promises, on the fake and on DynamoDB."""

from dataclasses import replace
from decimal import Decimal

import pytest

from chalicelib.domain.conditions import Launch, LaunchedPool
from chalicelib.domain.tokens import BY_SYMBOL, Pair, find_market, launched_token
from chalicelib.ports.market import MarketSnapshot, MarketStore, PushedPrice, WatchEntry
from tests.contract.stores.racing import race
from tests.support.open_orders import MINT, SOL_USDC

OTHER_MINT = "9xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
LAUNCHED = launched_token(MINT)
assert LAUNCHED is not None
NEW_SOL, NEW_USDC = (Pair(base=LAUNCHED, quote=BY_SYMBOL[quote]) for quote in ("SOL", "USDC"))
NOW = 1_770_000_000_000
OPENED = LaunchedPool("raydium", "pool")


def a_launch(**changes: object) -> Launch:
    told = Launch(MINT, "raydium", "pool", 7, Decimal("0.000123456789"), Decimal("812.5"), NOW, "SOL")
    return replace(told, **changes)  # type: ignore[arg-type]


# --- prices ------------------------------------------------------------------------------------------------


def test_nothing_is_known_of_a_pair_of_which_nothing_was_told(markets: MarketStore) -> None:
    markets.push_price(find_market("JUP/USDC"), PushedPrice(Decimal(1), NOW))
    assert markets.snapshot(SOL_USDC) == markets.snapshot(NEW_SOL) == MarketSnapshot()


@pytest.mark.parametrize("price", ["101.5", "0.000000000000000001", "99999999999999999999"])
def test_a_price_is_kept_to_its_last_digit(markets: MarketStore, price: str) -> None:
    told = PushedPrice(Decimal(price), NOW)
    markets.push_price(SOL_USDC, told)
    assert markets.snapshot(SOL_USDC) == MarketSnapshot(told)


def test_of_prices_that_come_late_the_newest_counts(markets: MarketStore) -> None:
    first, second, third = (PushedPrice(Decimal(n), NOW + at) for n, at in ((1, 0), (2, 5), (3, 5)))
    for told in (second, first):
        markets.push_price(SOL_USDC, told)
    assert markets.snapshot(SOL_USDC).price == second
    markets.push_price(SOL_USDC, third)
    assert markets.snapshot(SOL_USDC).price == third


def test_a_launched_token_has_a_price_in_each_token_it_is_paid_with(markets: MarketStore) -> None:
    told = PushedPrice(Decimal("0.5"), NOW)
    markets.push_price(NEW_USDC, told)
    assert (markets.snapshot(NEW_USDC), markets.snapshot(NEW_SOL)) == (MarketSnapshot(told), MarketSnapshot())


# --- launches ----------------------------------------------------------------------------------------------


def test_a_launch_opens_a_pool_and_is_to_be_worked_through(markets: MarketStore) -> None:
    assert markets.is_live(MINT) is False
    assert markets.announce(a_launch()) is True
    assert markets.is_live(MINT) is True
    assert markets.is_live(OTHER_MINT) is False
    assert markets.snapshot(NEW_SOL) == MarketSnapshot(pools={OPENED: a_launch()})
    assert markets.snapshot(NEW_USDC) == MarketSnapshot()
    assert markets.pending_launches() == [a_launch()]


def test_a_launch_of_no_quote_token_is_a_pool_for_each(markets: MarketStore) -> None:
    told = a_launch(quote=None)
    markets.announce(told)
    assert markets.snapshot(NEW_SOL) == markets.snapshot(NEW_USDC) == MarketSnapshot(pools={OPENED: told})
    assert markets.pending_launches() == [told]


def test_pools_of_one_venue_are_several_and_each_is_of_the_tokens_that_it_trades(markets: MarketStore) -> None:
    of_any, of_sol = a_launch(quote=None, pool="any"), a_launch(pool="sol")
    for told in (of_sol, of_any):
        markets.announce(told)
    assert markets.snapshot(NEW_SOL).pools == {of_sol.opened: of_sol, of_any.opened: of_any}
    assert markets.snapshot(NEW_USDC).pools == {of_any.opened: of_any}


def test_a_pool_is_as_it_was_launched_last(markets: MarketStore) -> None:
    first, second, elsewhere = a_launch(), a_launch(slot=8, price=Decimal(2)), a_launch(venue="meteora", pool="m")
    for told in (first, second, elsewhere):
        assert markets.announce(told) is True
    assert markets.snapshot(NEW_SOL).pools == {OPENED: second, elsewhere.opened: elsewhere}


def test_one_address_on_two_venues_or_for_two_tokens_is_another_pool_each_time(markets: MarketStore) -> None:
    any_, sol, usdc = (a_launch(slot=n, quote=quote) for n, quote in enumerate((None, "SOL", "USDC")))
    elsewhere = a_launch(slot=9, venue="meteora")
    for told in (sol, any_, usdc, elsewhere):
        assert markets.announce(told) is True
    assert markets.snapshot(NEW_SOL).pools == {OPENED: sol, elsewhere.opened: elsewhere}
    assert markets.snapshot(NEW_USDC).pools == {OPENED: usdc}


def test_a_launch_that_is_told_of_again_changes_nothing(markets: MarketStore) -> None:
    markets.announce(a_launch())
    markets.finish_launch(a_launch())
    again = a_launch(venue="meteora", price=Decimal(9), liquidity=Decimal(9), at_ms=NOW + 1, quote="USDC")
    assert markets.announce(again) is False
    assert markets.snapshot(NEW_SOL) == MarketSnapshot(pools={OPENED: a_launch()})
    assert markets.snapshot(NEW_USDC) == MarketSnapshot()
    assert markets.pending_launches() == []


@pytest.mark.parametrize("other", [a_launch(slot=8), a_launch(pool="b"), a_launch(mint=OTHER_MINT)])
def test_another_mint_pool_or_slot_is_another_launch(markets: MarketStore, other: Launch) -> None:
    assert markets.announce(a_launch())
    assert markets.announce(other)
    assert sorted(told.id for told in markets.pending_launches()) == sorted([a_launch().id, other.id])
    markets.finish_launch(a_launch())
    assert markets.pending_launches() == [other]


def test_finishing_twice_is_no_error(markets: MarketStore) -> None:
    markets.announce(a_launch())
    for _ in range(2):
        markets.finish_launch(a_launch())
    assert markets.pending_launches() == []
    assert markets.is_live(MINT), "what has been launched stays so"


def test_of_twenty_that_tell_of_one_launch_one_is_the_first(markets: MarketStore) -> None:
    assert sum(race(lambda number: markets.announce(a_launch(at_ms=NOW + number)))) == 1
    [told] = markets.pending_launches()
    assert markets.snapshot(NEW_SOL) == MarketSnapshot(pools={OPENED: told})


# --- what is watched ---------------------------------------------------------------------------------------


def test_what_somebody_waits_for_is_watched_up_to_the_last_millisecond(markets: MarketStore) -> None:
    markets.watch("SOL/USDC#sell", NOW, NOW + 10)
    markets.watch(f"launch#{MINT}", NOW + 1, NOW + 20)
    sell, launch = WatchEntry("SOL/USDC#sell", NOW), WatchEntry(f"launch#{MINT}", NOW + 1)
    for now_ms, watched in ((NOW, [sell, launch]), (NOW + 10, [sell, launch]), (NOW + 11, [launch]), (NOW + 21, [])):
        assert sorted(markets.watch_entries(now_ms), key=lambda one: one.since_ms) == watched


def test_the_longest_wait_counts_and_the_first_to_wait_is_remembered(markets: MarketStore) -> None:
    for now_ms, until_ms in ((NOW, NOW + 10), (NOW + 1, NOW + 30), (NOW + 2, NOW + 20)):
        markets.watch("key", now_ms, until_ms)
    assert markets.watch_entries(NOW + 30) == [WatchEntry("key", NOW)]
    assert markets.watch_entries(NOW + 31) == []


def test_what_nobody_waits_for_any_more_is_not_watched(markets: MarketStore) -> None:
    for key in ("one", "two"):
        markets.watch(key, NOW, NOW + 10)
    for _ in range(2):
        markets.unwatch("one")
    assert markets.watch_entries(NOW) == [WatchEntry("two", NOW)]


def test_what_was_let_go_is_watched_again_from_when_somebody_waits(markets: MarketStore) -> None:
    markets.watch("key", NOW, NOW + 10)
    assert markets.watch_entries(NOW + 50) == []
    markets.watch("key", NOW + 60, NOW + 70)
    assert markets.watch_entries(NOW + 61) == [WatchEntry("key", NOW + 60)]


def test_a_watch_among_many_loses_none(markets: MarketStore) -> None:
    race(lambda number: markets.watch("key", NOW, NOW + number))
    assert markets.watch_entries(NOW + 19) == [WatchEntry("key", NOW)]
