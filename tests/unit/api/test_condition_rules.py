"""Validation of the fields of limit and sniper orders: the API handler reports all invalid fields together."""

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
def test_a_limit_price_has_two_field_names(name: str, price: object) -> None:
    assert read(MARKET | {"type": "limit", name: price}).limit_price == Decimal("101.5")


def test_a_limit_order_without_a_price_is_refused() -> None:
    assert refused(MARKET | {"type": "limit"}) == {"limitPrice": "REQUIRED"}
    assert refused(LIMIT | {"limitPrice": None}) == {"limitPrice": "REQUIRED"}


def test_an_internal_field_name_is_an_unknown_field() -> None:
    assert refused(MARKET | {"type": "limit", "limit_price": 1}) == {
        "limitPrice": "REQUIRED",
        "limit_price": "UNKNOWN_FIELD",
    }
    assert refused(LIMIT | {"expires_at": TOMORROW}) == {"expires_at": "UNKNOWN_FIELD"}


def test_a_limit_price_under_both_names_is_refused() -> None:
    assert refused(LIMIT | {"targetPrice": "101.5"}) == {"targetPrice": "UNKNOWN_FIELD"}


@pytest.mark.parametrize("body", [MARKET, MARKET | {"type": "market"}, SNIPER])
@pytest.mark.parametrize("name", ["limitPrice", "targetPrice"])
def test_a_limit_price_of_a_market_or_sniper_order_is_refused(body: dict[str, Any], name: str) -> None:
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
        # The output of 1.5 SOL is less than one base unit of USDC.
        ("0.0000006", "PRICE_OUT_OF_REACH"),
    ],
)
def test_an_invalid_limit_price_is_refused(price: object, code: str) -> None:
    assert refused(LIMIT | {"limitPrice": price}) == {"limitPrice": code}


def test_the_lowest_valid_limit_price_returns_one_base_unit() -> None:
    assert read(LIMIT, limitPrice="0.000000666666666667").limit_min_out == 1
    assert refused(LIMIT | {"limitPrice": "0.000000666666666666"}) == {"limitPrice": "PRICE_OUT_OF_REACH"}
    buying = {"tokenIn": "USDC", "tokenOut": "SOL", "amountIn": 1, "type": "limit"}
    assert read(buying, limitPrice="1000000000").limit_min_out == 1
    assert refused(buying | {"limitPrice": "1000000001"}) == {"limitPrice": "PRICE_OUT_OF_REACH"}


@pytest.mark.parametrize(
    ("price", "amount"),
    [
        ("0.000000000000001234", "18446744073"),
        ("99999999999999999999", "0.000000001"),
        ("12345678901234567.891", "0.0001"),
    ],
)
def test_a_limit_price_keeps_every_digit(price: str, amount: str) -> None:
    assert read(LIMIT, limitPrice=price, amountIn=amount).limit_price == Decimal(price)


def test_a_price_that_asks_for_more_than_an_account_can_hold_is_out_of_reach() -> None:
    selling = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": 1, "type": "limit"}
    assert read(selling, limitPrice="18446744073709.551615").limit_min_out == 2**64 - 1
    assert refused(selling | {"limitPrice": "18446744073709.551616"}) == {"limitPrice": "PRICE_OUT_OF_REACH"}
    buying = {"tokenIn": "USDC", "tokenOut": "ORCA", "amountIn": 1, "type": "limit"}
    assert refused(buying | {"limitPrice": "1e-18"}) == {"limitPrice": "PRICE_OUT_OF_REACH"}
    sniper = {"tokenIn": "SOL", "tokenOut": MINT, "amountIn": 1, "type": "sniper"}
    assert refused(sniper | {"launch": {"maxPrice": "1e-18"}}) == {"launch": "PRICE_OUT_OF_REACH"}


@pytest.mark.parametrize(
    "mint",
    [
        "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGk",
        "x" * 32,
        "1" * 33,
        "1" * 44,
        "So1111111111111111111111111111112",
        "z" * 44,
        "2" * 43 + "l",
    ],
)
def test_a_mint_is_base58_of_32_bytes(mint: str) -> None:
    sniper = {"tokenIn": "SOL", "tokenOut": mint, "amountIn": 1, "type": "sniper"}
    assert refused(sniper) == {"tokenOut": "TOKEN_UNKNOWN"}
    assert refused(sniper | {"tokenOut": MINT, "launch": {"mint": mint}}) == {"launch.mint": "MINT_INVALID"}
    assert read(sniper, tokenOut="1" * 32).token_out.mint == "1" * 32


# --- launch filters ----------------------------------------------------------------------------------------


def test_a_sniper_order_may_buy_an_unlisted_mint() -> None:
    spec = read(SNIPER)
    assert (spec.launch, spec.side, spec.token_out.mint) == (LaunchTerms(MINT), Side.BUY, MINT)
    assert read(SNIPER, launch={}) == read(SNIPER, launch={"mint": MINT}) == read(SNIPER, launch=None) == spec


def test_a_sniper_order_keeps_every_launch_filter() -> None:
    asked = {"mint": MINT, "venue": "meteora", "minLiquidity": "50.5", "maxPrice": Decimal("0.002")}
    assert read(SNIPER, launch=asked).launch == LaunchTerms(MINT, "meteora", Decimal("50.5"), Decimal("0.002"))


def test_a_sniper_order_for_a_known_token_may_name_it_by_symbol_or_mint() -> None:
    jup = BY_SYMBOL["JUP"]
    for name in ("JUP", jup.mint):
        assert read(SNIPER, tokenOut="JUP", launch={"mint": name}).launch == LaunchTerms(jup.mint)


def test_a_sniper_order_always_has_high_priority() -> None:
    assert read(SNIPER, priority="normal").priority is Priority.HIGH
    assert read(LIMIT).priority is Priority.NORMAL


@pytest.mark.parametrize("body", [MARKET, LIMIT])
def test_only_a_sniper_order_may_buy_an_unlisted_token(body: dict[str, Any]) -> None:
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
def test_invalid_launch_terms_are_refused(changes: dict[str, Any], errors: dict[str, str]) -> None:
    assert refused(SNIPER | changes) == errors


# --- time in force -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [LIMIT, SNIPER])
def test_an_order_without_an_expiry_is_gtc_and_one_with_an_expiry_is_gtd(body: dict[str, Any]) -> None:
    tomorrow = NOON + timedelta(days=1)
    assert (read(body).time_in_force, read(body).expires_at) == (TimeInForce.GTC, None)
    assert read(body, timeInForce="GTC").time_in_force is TimeInForce.GTC
    for said in ({"expiresAt": TOMORROW}, {"expiresAt": TOMORROW, "timeInForce": "GTD"}):
        assert (read(body, **said).time_in_force, read(body, **said).expires_at) == (TimeInForce.GTD, tomorrow)


def test_a_limit_order_may_be_ioc() -> None:
    assert read(LIMIT, timeInForce="IOC").time_in_force is TimeInForce.IOC


def test_a_market_order_has_no_time_in_force() -> None:
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
def test_an_invalid_time_in_force_or_expiry_is_refused(
    body: dict[str, Any], changes: dict[str, Any], errors: dict[str, str]
) -> None:
    assert refused(body | changes) == errors


def test_an_ioc_order_with_an_expiry_is_refused() -> None:
    assert refused(LIMIT | {"timeInForce": "IOC", "expiresAt": TOMORROW}) == {"expiresAt": "EXPIRY_CONTRADICTS"}


def test_an_expiry_is_one_millisecond_to_thirty_days_ahead() -> None:
    for wait in (timedelta(days=30), timedelta(milliseconds=1)):
        assert read(LIMIT, expiresAt=to_text(NOON + wait)).expires_at == NOON + wait


def test_an_expiry_is_truncated_to_milliseconds() -> None:
    assert read(LIMIT, expiresAt="2026-01-31T12:00:01.9999Z").expires_at == NOON + timedelta(milliseconds=1999)


def test_a_past_expiry_alone_is_left_to_the_acceptance() -> None:
    assert read(LIMIT, expiresAt="2025-01-31T12:00:00Z").expires_at == datetime(2025, 1, 31, 12, tzinfo=UTC)
    assert refused(LIMIT | {"expiresAt": to_text(NOON), "limitPrice": 0}) == {
        "expiresAt": "EXPIRY_PAST",
        "limitPrice": "PRICE_NOT_POSITIVE",
    }


@pytest.mark.parametrize("zeros", [20, 27, 42])
def test_a_price_with_too_many_digits_is_refused(zeros: int) -> None:
    assert refused(LIMIT | {"limitPrice": f"300.{'0' * zeros}1"}) == {"limitPrice": "PRICE_TOO_PRECISE"}


def test_an_expiry_may_have_any_time_zone() -> None:
    assert read(LIMIT, expiresAt="2026-02-01t12:00:00z") == read(LIMIT, expiresAt="2026-02-01T12:00:00Z")
    assert read(LIMIT, expiresAt="2026-02-01T14:00:00+02:00").expires_at == datetime(2026, 2, 1, 12, tzinfo=UTC)


# --- several errors ----------------------------------------------------------------------------------------


def test_all_invalid_terms_are_reported_together() -> None:
    terms = {"limitPrice": 0, "timeInForce": "FOK", "expiresAt": "tomorrow", "launch": {"venue": "orca", "x": 1}}
    named = {"amountIn", "limitPrice", "timeInForce", "expiresAt", "launch.venue", "launch.x"}
    assert set(refused(LIMIT | {"amountIn": -1} | terms)) == named
    assert set(refused(SNIPER | {"amountIn": -1} | terms)) == named


def test_an_unknown_type_causes_no_error_in_fields_that_depend_on_it() -> None:
    assert refused(LIMIT | {"type": "stop", "timeInForce": "IOC"}) == {"type": "NOT_ALLOWED"}
