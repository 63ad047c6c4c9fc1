"""The rules of limit and sniper fields: each bad one is named as it is written, and all of them at once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.codec.times import to_text
from chalicelib.domain.conditions import LaunchTerms, TimeInForce
from chalicelib.domain.spec import OrderSpec, Priority
from chalicelib.domain.tokens import BY_SYMBOL, Side
from tests.support.request_rules import order_of
from tests.unit.api.test_order_rules import NOON, refused

MINT = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
OTHER_MINT = "9xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
MARKET: dict[str, Any] = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5"}
LIMIT = MARKET | {"type": "limit", "limitPrice": "101.5"}
SNIPER = {"tokenIn": "SOL", "tokenOut": MINT, "amountIn": "1.5", "type": "sniper"}
TOMORROW = to_text(NOON + timedelta(days=1))


def read(body: dict[str, Any], **changes: object) -> OrderSpec:
    return order_of(body | changes, simulation=False, now=NOON)


# --- the limit price ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["limitPrice", "targetPrice"])
@pytest.mark.parametrize("price", ["101.5", Decimal("101.5"), "101.50", "1015e-1"])
def test_a_limit_price_goes_by_two_names(name: str, price: object) -> None:
    assert read(MARKET | {"type": "limit", name: price}).limit_price == Decimal("101.5")


def test_a_limit_order_needs_its_price_and_is_told_so_in_the_name_that_it_writes() -> None:
    assert refused(MARKET | {"type": "limit"}) == {"limitPrice": "REQUIRED"}
    assert refused(LIMIT | {"limitPrice": None}) == {"limitPrice": "REQUIRED"}


def test_a_name_of_our_own_is_as_unknown_as_any_other() -> None:
    assert refused(MARKET | {"type": "limit", "limit_price": 1}) == {
        "limitPrice": "REQUIRED",
        "limit_price": "UNKNOWN_FIELD",
    }
    assert refused(LIMIT | {"expires_at": TOMORROW}) == {"expires_at": "UNKNOWN_FIELD"}


def test_a_limit_price_is_given_once() -> None:
    assert refused(LIMIT | {"targetPrice": "101.5"}) == {"targetPrice": "UNKNOWN_FIELD"}


@pytest.mark.parametrize("body", [MARKET, MARKET | {"type": "market"}, SNIPER])
@pytest.mark.parametrize("name", ["limitPrice", "targetPrice"])
def test_no_price_is_passed_over_where_it_would_not_be_kept_to(body: dict[str, Any], name: str) -> None:
    assert refused(body | {name: 1}) == {name: "NOT_FOR_TYPE"}


@pytest.mark.parametrize(
    ("price", "code"),
    [
        (0, "PRICE_NOT_POSITIVE"),
        ("-0.0", "PRICE_NOT_POSITIVE"),
        (-1, "PRICE_NOT_POSITIVE"),
        ("NaN", "NUMBER_INVALID"),
        ("Infinity", "NUMBER_INVALID"),
        (True, "NUMBER_TYPE"),
        (1.5, "NUMBER_TYPE"),
        ([1], "NUMBER_TYPE"),
        ("1e-19", "PRICE_TOO_PRECISE"),
        ("1.00000000000000000001", "PRICE_TOO_PRECISE"),
        ("1e20", "PRICE_TOO_PRECISE"),
        ("1e99", "NUMBER_OUT_OF_RANGE"),
        # 1.5 SOL bring less than one millionth of a dollar.
        ("0.0000006", "PRICE_OUT_OF_REACH"),
    ],
)
def test_a_limit_price_that_no_market_has_is_refused(price: object, code: str) -> None:
    assert refused(LIMIT | {"limitPrice": price}) == {"limitPrice": code}


def test_the_lowest_price_within_reach_is_the_one_that_brings_one_base_unit() -> None:
    assert read(LIMIT, limitPrice="0.000000666666666667").limit_min_out == 1
    assert refused(LIMIT | {"limitPrice": "0.000000666666666666"}) == {"limitPrice": "PRICE_OUT_OF_REACH"}
    buying = {"tokenIn": "USDC", "tokenOut": "SOL", "amountIn": 1, "type": "limit"}
    assert read(buying, limitPrice="1000000000").limit_min_out == 1
    assert refused(buying | {"limitPrice": "1000000001"}) == {"limitPrice": "PRICE_OUT_OF_REACH"}


@pytest.mark.parametrize("price", ["0.000000000000001234", "99999999999999999999", "12345678901234567.891"])
def test_a_price_is_kept_to_its_last_digit(price: str) -> None:
    assert read(LIMIT, limitPrice=price, amountIn="18446744073").limit_price == Decimal(price)


# --- what a sniper order waits for -------------------------------------------------------------------------


def test_a_launch_is_of_the_token_that_is_bought_which_nobody_need_know() -> None:
    spec = read(SNIPER)
    assert (spec.launch, spec.side, spec.token_out.mint) == (LaunchTerms(MINT), Side.BUY, MINT)
    assert read(SNIPER, launch={}) == read(SNIPER, launch={"mint": MINT}) == read(SNIPER, launch=None) == spec


def test_all_that_is_asked_of_a_launch_is_kept() -> None:
    asked = {"mint": MINT, "venue": "meteora", "minLiquidity": "50.5", "maxPrice": Decimal("0.002")}
    assert read(SNIPER, launch=asked).launch == LaunchTerms(MINT, "meteora", Decimal("50.5"), Decimal("0.002"))


def test_a_sniper_order_for_a_known_token_may_name_it_by_symbol_or_mint() -> None:
    jup = BY_SYMBOL["JUP"]
    for name in ("JUP", jup.mint):
        assert read(SNIPER, tokenOut="JUP", launch={"mint": name}).launch == LaunchTerms(jup.mint)


def test_a_sniper_order_takes_the_fast_lane_whatever_it_asks_for() -> None:
    assert read(SNIPER, priority="normal").priority is Priority.HIGH
    assert read(LIMIT).priority is Priority.NORMAL


@pytest.mark.parametrize("body", [MARKET, LIMIT])
def test_only_a_sniper_order_may_buy_what_nobody_knows(body: dict[str, Any]) -> None:
    assert refused(body | {"tokenOut": MINT}) == {"tokenOut": "TOKEN_UNKNOWN"}
    assert refused(body | {"launch": {}}) == {"launch": "NOT_FOR_TYPE"}


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"tokenOut": "MOON"}, {"tokenOut": "TOKEN_UNKNOWN"}),
        ({"tokenOut": MINT + "x" * 3}, {"tokenOut": "TOKEN_UNKNOWN"}),
        ({"tokenOut": "0" * 40}, {"tokenOut": "TOKEN_UNKNOWN"}),
        ({"tokenIn": MINT, "tokenOut": "SOL"}, {"tokenIn": "TOKEN_UNKNOWN"}),
        ({"tokenIn": "JUP"}, {"tokenOut": "PAIR_UNSUPPORTED"}),
        ({"launch": {"mint": OTHER_MINT}}, {"launch": "MINT_CONTRADICTS"}),
        ({"launch": {"mint": "JUP"}}, {"launch": "MINT_CONTRADICTS"}),
        ({"launch": {"mint": "short"}}, {"launch.mint": "MINT_INVALID"}),
        ({"launch": {"mint": 7}}, {"launch.mint": "STRING_TYPE"}),
        ({"launch": {"venue": "orca"}}, {"launch.venue": "VENUE_UNKNOWN"}),
        ({"launch": {"venue": "Raydium"}}, {"launch.venue": "VENUE_UNKNOWN"}),
        ({"launch": {"minLiquidity": 0}}, {"launch.minLiquidity": "PRICE_NOT_POSITIVE"}),
        ({"launch": {"maxPrice": "-1"}}, {"launch.maxPrice": "PRICE_NOT_POSITIVE"}),
        ({"launch": {"maxPrice": "1e30"}}, {"launch.maxPrice": "PRICE_TOO_PRECISE"}),
        ({"launch": {"min_liquidity": 1}}, {"launch.min_liquidity": "UNKNOWN_FIELD"}),
        ({"launch": {"maxprice": 1}}, {"launch.maxprice": "UNKNOWN_FIELD"}),
        ({"launch": [MINT]}, {"launch": "OBJECT_TYPE"}),
        ({"launch": MINT}, {"launch": "OBJECT_TYPE"}),
        ({"side": "sell"}, {"side": "SIDE_CONTRADICTS"}),
        ({"timeInForce": "IOC"}, {"timeInForce": "NOT_FOR_TYPE"}),
    ],
)
def test_what_no_launch_can_be_is_refused(changes: dict[str, Any], errors: dict[str, str]) -> None:
    assert refused(SNIPER | changes) == errors


# --- for how long ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [LIMIT, SNIPER])
def test_an_order_waits_until_it_is_cancelled_or_to_the_date_it_names(body: dict[str, Any]) -> None:
    tomorrow = NOON + timedelta(days=1)
    assert (read(body).time_in_force, read(body).expires_at) == (TimeInForce.GTC, None)
    assert read(body, timeInForce="GTC").time_in_force is TimeInForce.GTC
    for said in ({"expiresAt": TOMORROW}, {"expiresAt": TOMORROW, "timeInForce": "GTD"}):
        assert (read(body, **said).time_in_force, read(body, **said).expires_at) == (TimeInForce.GTD, tomorrow)


def test_a_limit_order_may_want_all_at_once_or_nothing() -> None:
    assert read(LIMIT, timeInForce="IOC").time_in_force is TimeInForce.IOC


def test_a_market_order_does_not_wait() -> None:
    assert read(MARKET).time_in_force is None
    assert refused(MARKET | {"timeInForce": "GTC", "expiresAt": TOMORROW}) == {
        "timeInForce": "NOT_FOR_TYPE",
        "expiresAt": "NOT_FOR_TYPE",
    }


@pytest.mark.parametrize("body", [LIMIT, SNIPER])
@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"timeInForce": "GTD"}, {"expiresAt": "REQUIRED"}),
        ({"timeInForce": "GTD", "expiresAt": None}, {"expiresAt": "REQUIRED"}),
        ({"timeInForce": "GTC", "expiresAt": TOMORROW}, {"expiresAt": "EXPIRY_CONTRADICTS"}),
        ({"timeInForce": "gtc"}, {"timeInForce": "NOT_ALLOWED"}),
        ({"timeInForce": "FOK"}, {"timeInForce": "NOT_ALLOWED"}),
        ({"timeInForce": 1}, {"timeInForce": "NOT_ALLOWED"}),
        ({"timeInForce": ["GTC"]}, {"timeInForce": "NOT_ALLOWED"}),
        ({"expiresAt": "2026-02-01T12:00:00"}, {"expiresAt": "TIME_INVALID"}),
        ({"expiresAt": "2026-02-01"}, {"expiresAt": "TIME_INVALID"}),
        ({"expiresAt": "20260201T120000Z"}, {"expiresAt": "TIME_INVALID"}),
        ({"expiresAt": "2026-W05-6T12:00:00Z"}, {"expiresAt": "TIME_INVALID"}),
        ({"expiresAt": "2026-02-01 12:00:00Z"}, {"expiresAt": "TIME_INVALID"}),
        ({"expiresAt": "2026-02-01T12Z"}, {"expiresAt": "TIME_INVALID"}),
        ({"expiresAt": "tomorrow"}, {"expiresAt": "TIME_INVALID"}),
        ({"expiresAt": ""}, {"expiresAt": "TIME_INVALID"}),
        ({"expiresAt": 1_770_000_000}, {"expiresAt": "TIME_INVALID"}),
        ({"expiresAt": "9999-12-31T23:59:59-23:00"}, {"expiresAt": "TIME_INVALID"}),
        ({"expiresAt": to_text(NOON + timedelta(days=30, milliseconds=1))}, {"expiresAt": "EXPIRY_TOO_FAR"}),
    ],
)
def test_an_order_waits_for_a_time_that_is_ahead_and_not_too_far(
    body: dict[str, Any], changes: dict[str, Any], errors: dict[str, str]
) -> None:
    assert refused(body | changes) == errors


def test_an_order_that_is_not_to_wait_names_no_date() -> None:
    assert refused(LIMIT | {"timeInForce": "IOC", "expiresAt": TOMORROW}) == {"expiresAt": "EXPIRY_CONTRADICTS"}


def test_thirty_days_to_the_millisecond_is_the_longest_wait_and_a_millisecond_the_shortest() -> None:
    for wait in (timedelta(days=30), timedelta(milliseconds=1)):
        assert read(LIMIT, expiresAt=to_text(NOON + wait)).expires_at == NOON + wait


def test_a_date_is_kept_in_milliseconds() -> None:
    assert read(LIMIT, expiresAt="2026-01-31T12:00:01.9999Z").expires_at == NOON + timedelta(milliseconds=1999)


def test_a_date_that_has_passed_is_left_to_whoever_knows_whether_the_order_was_accepted_before_it() -> None:
    assert read(LIMIT, expiresAt="2025-01-31T12:00:00Z").expires_at == datetime(2025, 1, 31, 12, tzinfo=UTC)
    assert refused(LIMIT | {"expiresAt": to_text(NOON), "limitPrice": 0}) == {
        "expiresAt": "EXPIRY_PAST",
        "limitPrice": "PRICE_NOT_POSITIVE",
    }


@pytest.mark.parametrize("zeros", [20, 27, 42])
def test_no_digit_of_a_price_is_overlooked(zeros: int) -> None:
    assert refused(LIMIT | {"limitPrice": f"300.{'0' * zeros}1"}) == {"limitPrice": "PRICE_TOO_PRECISE"}


def test_a_date_may_be_of_any_zone() -> None:
    assert read(LIMIT, expiresAt="2026-02-01t12:00:00z") == read(LIMIT, expiresAt="2026-02-01T12:00:00Z")
    assert read(LIMIT, expiresAt="2026-02-01T14:00:00+02:00").expires_at == datetime(2026, 2, 1, 12, tzinfo=UTC)


# --- all at once -------------------------------------------------------------------------------------------


def test_every_bad_term_is_named_at_once() -> None:
    terms = {"limitPrice": 0, "timeInForce": "FOK", "expiresAt": "tomorrow", "launch": {"venue": "orca", "x": 1}}
    named = {"amountIn", "limitPrice", "timeInForce", "expiresAt", "launch.venue", "launch.x"}
    assert set(refused(LIMIT | {"amountIn": -1} | terms)) == named
    assert set(refused(SNIPER | {"amountIn": -1} | terms)) == named


def test_an_order_of_unknown_type_is_told_of_nothing_that_depends_on_it() -> None:
    assert refused(LIMIT | {"type": "stop", "timeInForce": "IOC"}) == {"type": "NOT_ALLOWED"}
