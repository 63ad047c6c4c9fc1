"""The contract of ``MarketStore``, on the fake and on DynamoDB."""

from dataclasses import replace
from decimal import Decimal

import pytest

from chalicelib.domain.conditions import Launch, LaunchedPool, LaunchWatch, PriceWatch
from chalicelib.domain.tokens import BY_SYMBOL, Pair, Side, find_market, launched_token
from chalicelib.ports.market import MarketHistory, MarketSnapshot, MarketStore, PushedPrice, WatchEntry
from chalicelib.stores.markets import DynamoMarketStore
from chalicelib.stores.models import MarketItem
from tests.contract.stores.racing import race
from tests.support.open_orders import MINT, SOL_USDC

OTHER_MINT = "9xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
LAUNCHED = launched_token(MINT)
assert LAUNCHED is not None
NEW_SOL, NEW_USDC = (Pair(base=LAUNCHED, quote=BY_SYMBOL[quote]) for quote in ("SOL", "USDC"))
NOW = 1_770_000_000_000
OPENED = LaunchedPool("raydium", "pool")
SELLS, BUYS = PriceWatch(SOL_USDC, Side.SELL), PriceWatch(SOL_USDC, Side.BUY)


def a_launch(**changes: object) -> Launch:
    launch = Launch(MINT, "raydium", "pool", 7, Decimal("0.000123456789"), Decimal("812.5"), NOW, "SOL")
    return replace(launch, **changes)  # type: ignore[arg-type]


# --- prices ------------------------------------------------------------------------------------------------


def test_a_pair_without_a_push_has_an_empty_snapshot(markets: MarketStore) -> None:
    other = find_market("JUP/USDC")
    assert other is not None
    markets.push_price(other, PushedPrice(Decimal(1), NOW))
    assert markets.snapshot(SOL_USDC) == markets.snapshot(NEW_SOL) == MarketSnapshot()


@pytest.mark.parametrize("price", ["101.5", "0.000000000000000001", "99999999999999999999"])
def test_a_pushed_price_is_stored_exactly(markets: MarketStore, price: str) -> None:
    pushed = PushedPrice(Decimal(price), NOW)
    markets.push_price(SOL_USDC, pushed)
    assert markets.snapshot(SOL_USDC) == MarketSnapshot(pushed)


def test_a_price_that_arrives_late_does_not_replace_a_newer_one(markets: MarketStore) -> None:
    first, second, third = (PushedPrice(Decimal(n), NOW + at) for n, at in ((1, 0), (2, 5), (3, 5)))
    for pushed in (second, first):
        markets.push_price(SOL_USDC, pushed)
    assert markets.snapshot(SOL_USDC).price == second
    markets.push_price(SOL_USDC, third)
    assert markets.snapshot(SOL_USDC).price == PushedPrice(Decimal(3), NOW + 6, NOW + 5)


def test_a_launched_token_has_a_price_per_quote_token(markets: MarketStore) -> None:
    pushed = PushedPrice(Decimal("0.5"), NOW)
    markets.push_price(NEW_USDC, pushed)
    assert (markets.snapshot(NEW_USDC), markets.snapshot(NEW_SOL)) == (MarketSnapshot(pushed), MarketSnapshot())


def test_prices_of_one_millisecond_have_a_time_each(markets: MarketStore) -> None:
    for number in (1, 2, 3):
        markets.push_price(SOL_USDC, PushedPrice(Decimal(number), NOW))
        markets.push_price(SOL_USDC, PushedPrice(Decimal(99), NOW - 1))
    third = PushedPrice(Decimal(3), NOW + 2, NOW)
    assert markets.snapshot(SOL_USDC).price == third
    second = PushedPrice(Decimal(2), NOW + 1, NOW)
    assert markets.history(SOL_USDC, NOW, NOW + 9).prices == (PushedPrice(Decimal(1), NOW), second, third)


def test_concurrent_pushes_keep_every_price_that_was_stored(markets: MarketStore) -> None:
    race(lambda number: markets.push_price(SOL_USDC, PushedPrice(Decimal(number + 1), NOW + number)))
    history = markets.history(SOL_USDC, NOW - 1, NOW + 100)
    assert history.complete_since_ms == 0
    assert history.prices[-1] == markets.snapshot(SOL_USDC).price
    assert sorted({one.at_ms for one in history.prices}) == [one.at_ms for one in history.prices]


# --- the history of prices ---------------------------------------------------------------------------------


def pushed(markets: MarketStore, *moments: int) -> list[PushedPrice]:
    prices = [PushedPrice(Decimal(number + 1), NOW + at) for number, at in enumerate(moments)]
    for price in prices:
        markets.push_price(SOL_USDC, price)
    return prices


def test_the_history_of_a_pair_without_a_push_is_empty_and_complete(markets: MarketStore) -> None:
    assert markets.history(SOL_USDC, NOW, NOW + 10) == MarketHistory((), (), 0)
    pushed(markets, 20)
    assert markets.history(SOL_USDC, NOW, NOW + 10) == MarketHistory((), (), 0)
    assert markets.history(NEW_SOL, NOW, NOW + 30) == MarketHistory((), (), 0)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (-5, 35, (0, 1, 2)),
        (0, 35, (0, 1, 2)),
        (5, 15, (0, 1)),
        (10, 19, (1,)),
        (12, 12, (1,)),
        (20, 20, (2,)),
        (30, 40, (2,)),
        (-9, -5, ()),
    ],
)
def test_the_history_has_the_prices_that_applied_in_a_period(
    markets: MarketStore, since: int, until: int, expected: tuple[int, ...]
) -> None:
    prices = pushed(markets, 0, 10, 20)
    history = markets.history(SOL_USDC, NOW + since, NOW + until)
    assert history.prices == tuple(prices[number] for number in expected)
    assert history.complete_since_ms <= NOW + since


def test_the_history_of_a_pool_has_each_of_its_launches_by_time(markets: MarketStore) -> None:
    first, again = a_launch(), a_launch(slot=9, at_ms=NOW + 5, price=Decimal("0.5"))
    others = a_launch(pool="another"), a_launch(slot=10, quote="USDC"), a_launch(slot=11, venue="meteora")
    for launch in (again, first, *others):
        markets.announce(launch)
    assert markets.history(NEW_SOL, NOW, NOW + 10, OPENED).launches == (first, again)
    assert markets.history(NEW_SOL, NOW, NOW + 10).launches == ()


#: A partition that no quote reads.
REPLACED = "replaced#SOL/USDC#USDC"


def test_a_replaced_price_expires_thirty_days_after_the_next_one(dynamo_markets: DynamoMarketStore) -> None:
    pushed(dynamo_markets, 0, 10_000)
    month, second = 30 * 86_400, NOW // 1000
    expiries = {(row.subject, row.item): row.expires_at for row in dynamo_markets._item.scan()}
    assert expiries == {
        ("SOL/USDC", "price#USDC"): None,
        (REPLACED, f"{NOW}"): second + month,
        (REPLACED, f"{NOW + 10_000}"): second + 10 + month,
    }


def test_a_history_says_from_when_on_it_is_complete(dynamo_markets: DynamoMarketStore) -> None:
    prices = pushed(dynamo_markets, 0, 10, 20, 30)
    rows = sorted(dynamo_markets._item.query(REPLACED), key=key)
    # An earlier version replaces a price without keeping it.
    rows[2].delete()
    history = dynamo_markets.history(SOL_USDC, NOW, NOW + 40)
    assert history.prices == (prices[0], prices[2], prices[3])
    assert history.complete_since_ms == NOW + 20
    rows[3].delete()
    assert dynamo_markets.history(SOL_USDC, NOW, NOW + 25).complete_since_ms == NOW + 30


def key(row: MarketItem) -> str:
    return row.item


# --- launches ----------------------------------------------------------------------------------------------


def test_a_launch_opens_a_pool_and_is_pending(markets: MarketStore) -> None:
    assert markets.is_live(MINT) is False
    assert markets.announce(a_launch()) is True
    assert markets.is_live(MINT) is True
    assert markets.is_live(OTHER_MINT) is False
    assert markets.snapshot(NEW_SOL, OPENED) == MarketSnapshot(launch=a_launch())
    assert markets.snapshot(NEW_SOL) == markets.snapshot(NEW_USDC, OPENED) == MarketSnapshot()
    assert markets.pending_launches() == [a_launch()]


def test_a_launch_without_a_quote_token_opens_a_pool_for_each(markets: MarketStore) -> None:
    launch = a_launch(quote=None)
    markets.announce(launch)
    for pair in (NEW_SOL, NEW_USDC):
        assert markets.snapshot(pair, OPENED) == MarketSnapshot(launch=launch)
    assert markets.pending_launches() == [launch]


def test_a_venue_may_have_several_pools_each_for_its_own_quote_tokens(markets: MarketStore) -> None:
    of_any, of_sol = a_launch(quote=None, pool="any"), a_launch(pool="sol")
    for launch in (of_sol, of_any):
        markets.announce(launch)
    assert markets.snapshot(NEW_SOL, of_sol.opened).launch == of_sol
    assert markets.snapshot(NEW_USDC, of_sol.opened).launch is None
    for pair in (NEW_SOL, NEW_USDC):
        assert markets.snapshot(pair, of_any.opened).launch == of_any


def test_a_later_launch_of_a_pool_replaces_the_earlier_one(markets: MarketStore) -> None:
    first, second, elsewhere = a_launch(), a_launch(slot=8, price=Decimal(2)), a_launch(venue="meteora", pool="m")
    for launch in (first, second, elsewhere):
        assert markets.announce(launch) is True
    assert markets.snapshot(NEW_SOL, OPENED).launch == second
    assert markets.snapshot(NEW_SOL, elsewhere.opened).launch == elsewhere


def test_pools_with_one_address_differ_by_venue_and_quote_token(markets: MarketStore) -> None:
    any_, sol, usdc = (a_launch(slot=n, quote=quote) for n, quote in enumerate((None, "SOL", "USDC")))
    elsewhere = a_launch(slot=9, venue="meteora")
    for launch in (sol, any_, usdc, elsewhere):
        assert markets.announce(launch) is True
    assert markets.snapshot(NEW_SOL, OPENED).launch == sol
    assert markets.snapshot(NEW_USDC, OPENED).launch == usdc
    assert markets.snapshot(NEW_SOL, elsewhere.opened).launch == elsewhere


def test_a_pool_whose_address_begins_as_that_of_another_is_another(markets: MarketStore) -> None:
    for address in ("pool#raydium#pool", "pool2", "poo"):
        markets.announce(a_launch(pool=address))
    assert markets.snapshot(NEW_SOL, OPENED) == MarketSnapshot()


def test_a_duplicate_announcement_changes_nothing(markets: MarketStore) -> None:
    markets.announce(a_launch())
    markets.finish_launch(a_launch())
    again = a_launch(venue="meteora", price=Decimal(9), liquidity=Decimal(9), at_ms=NOW + 1, quote="USDC")
    assert markets.announce(again) is False
    assert markets.snapshot(NEW_SOL, OPENED) == MarketSnapshot(launch=a_launch())
    assert markets.snapshot(NEW_USDC, OPENED) == MarketSnapshot()
    assert markets.pending_launches() == []


@pytest.mark.parametrize("other", [a_launch(slot=8), a_launch(pool="b"), a_launch(mint=OTHER_MINT)])
def test_another_mint_pool_or_slot_is_another_launch(markets: MarketStore, other: Launch) -> None:
    assert markets.announce(a_launch())
    assert markets.announce(other)
    assert sorted(launch.id for launch in markets.pending_launches()) == sorted([a_launch().id, other.id])
    markets.finish_launch(a_launch())
    assert markets.pending_launches() == [other]


def test_finishing_a_launch_twice_is_no_error(markets: MarketStore) -> None:
    markets.announce(a_launch())
    for _ in range(2):
        markets.finish_launch(a_launch())
    assert markets.pending_launches() == []
    assert markets.is_live(MINT), "a finished launch keeps its pool"


def test_of_twenty_concurrent_announcements_of_a_launch_exactly_one_is_new(markets: MarketStore) -> None:
    assert sum(race(lambda number: markets.announce(a_launch(at_ms=NOW + number)))) == 1
    [launch] = markets.pending_launches()
    assert markets.snapshot(NEW_SOL, OPENED) == MarketSnapshot(launch=launch)


# --- the watch list ----------------------------------------------------------------------------------------


def test_a_condition_is_watched_up_to_the_last_millisecond(markets: MarketStore) -> None:
    markets.watch(SELLS, NOW, NOW + 10)
    markets.watch(LaunchWatch(MINT), NOW + 1, NOW + 20)
    sell, launch = WatchEntry(SELLS, NOW), WatchEntry(LaunchWatch(MINT), NOW + 1)
    for now_ms, watched in ((NOW, [sell, launch]), (NOW + 10, [sell, launch]), (NOW + 11, [launch]), (NOW + 21, [])):
        assert sorted(markets.watch_entries(now_ms), key=lambda one: one.since_ms) == watched


def test_a_condition_is_watched_since_the_first_order_and_until_the_last(markets: MarketStore) -> None:
    for now_ms, until_ms in ((NOW, NOW + 10), (NOW + 1, NOW + 30), (NOW + 2, NOW + 20)):
        markets.watch(SELLS, now_ms, until_ms)
    assert markets.watch_entries(NOW + 30) == [WatchEntry(SELLS, NOW)]
    assert markets.watch_entries(NOW + 31) == []


def test_a_condition_that_was_removed_is_not_watched(markets: MarketStore) -> None:
    for watch in (SELLS, BUYS):
        markets.watch(watch, NOW, NOW + 10)
    for _ in range(2):
        markets.unwatch(SELLS)
    assert markets.watch_entries(NOW) == [WatchEntry(BUYS, NOW)]


def test_a_condition_that_lapsed_is_watched_anew(markets: MarketStore) -> None:
    markets.watch(SELLS, NOW, NOW + 10)
    assert markets.watch_entries(NOW + 50) == []
    markets.watch(SELLS, NOW + 60, NOW + 70)
    assert markets.watch_entries(NOW + 61) == [WatchEntry(SELLS, NOW + 60)]


def test_concurrent_watches_keep_the_longest(markets: MarketStore) -> None:
    race(lambda number: markets.watch(SELLS, NOW, NOW + number))
    assert markets.watch_entries(NOW + 19) == [WatchEntry(SELLS, NOW)]
