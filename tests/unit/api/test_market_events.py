"""Requests that push a price or announce a launch, with the field names of market data feeds."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.api.errors import InvalidOrderError
from chalicelib.api.requests.market_events import PriceEvent, read_market_event
from chalicelib.codec.times import to_ms
from chalicelib.domain.conditions import Launch
from chalicelib.domain.tokens import BY_SYMBOL, Pair
from tests.support.request_rules import RULES

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
MINT = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
PRICE: dict[str, Any] = {"type": "price", "pair": "SOL/USDC", "price": "101.5"}
POOL: dict[str, Any] = {"type": "pool_created", "mint": MINT, "venue": "raydium"}


def launch(**changes: object) -> Launch:
    event = read_market_event(POOL | changes, RULES, NOON)
    assert isinstance(event, Launch)
    return event


def refused(body: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidOrderError) as caught:
        read_market_event(body, RULES, NOON)
    return {error.field: error.code for error in caught.value.errors}


@pytest.mark.parametrize("name", ["SOL/USDC", "SOL-USDC", f"{BY_SYMBOL['SOL'].mint}/USDC"])
def test_a_price_is_quote_per_base(name: str) -> None:
    pair = Pair(base=BY_SYMBOL["SOL"], quote=BY_SYMBOL["USDC"])
    assert read_market_event(PRICE | {"pair": name}, RULES, NOON) == PriceEvent(pair, Decimal("101.5"))


def test_a_price_event_may_name_a_launched_token() -> None:
    event = read_market_event(PRICE | {"pair": f"{MINT}/SOL"}, RULES, NOON)
    assert isinstance(event, PriceEvent)
    assert event.pair.name == f"{MINT}/SOL"


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"pair": "SOL"}, {"pair": "PAIR_UNKNOWN"}),
        # The price of an inverted pair could be quote per base or base per quote.
        ({"pair": "USDC/SOL"}, {"pair": "PAIR_INVERTED"}),
        ({"pair": "SOL/SOL"}, {"pair": "PAIR_UNKNOWN"}),
        ({"pair": "SOL/USDC/USDT"}, {"pair": "PAIR_UNKNOWN"}),
        ({"pair": "JUP/BONK"}, {"pair": "PAIR_UNKNOWN"}),
        ({"pair": "DOGE/USDC"}, {"pair": "PAIR_UNKNOWN"}),
        ({"pair": ""}, {"pair": "PAIR_UNKNOWN"}),
        ({"pair": ["SOL", "USDC"]}, {"pair": "STRING_TYPE"}),
        ({"price": 0}, {"price": "PRICE_NOT_POSITIVE"}),
        ({"price": "NaN"}, {"price": "NUMBER_INVALID"}),
        ({"price": "1e-19"}, {"price": "PRICE_TOO_PRECISE"}),
        ({"price": True}, {"price": "NUMBER_TYPE"}),
        ({"pair": "x", "price": -1}, {"pair": "PAIR_UNKNOWN", "price": "PRICE_NOT_POSITIVE"}),
    ],
)
def test_an_invalid_price_event_is_refused(changes: dict[str, Any], errors: dict[str, str]) -> None:
    assert refused(PRICE | changes) == errors


def test_missing_fields_of_an_event_are_named() -> None:
    assert refused({"type": "price"}) == {"pair": "REQUIRED", "price": "REQUIRED"}
    assert refused({"type": "pool_created"}) == {"mint": "REQUIRED", "venue": "REQUIRED"}
    assert refused({}) == {"type": "REQUIRED"}


@pytest.mark.parametrize("kind", ["trade", "PRICE", "", 1, None, ["price"], {"price": 1}])
def test_an_event_of_an_unknown_type_has_only_that_error(kind: object) -> None:
    assert set(refused({"type": kind, "pair": "x"})) == {"type"}


def test_a_launch_event_with_required_fields_only_gets_defaults() -> None:
    event = launch()
    assert (event.mint, event.venue, event.quote) == (MINT, "raydium", None)
    assert (event.slot, event.at_ms) == (0, to_ms(NOON))
    assert event.price > 0
    assert event.liquidity > 0
    assert event == launch(), "a repeated announcement names the same launch"
    absent = ("slot", "pool", "quote", "price", "initialPrice", "liquidity", "initialLiquidity")
    assert event == launch(**dict.fromkeys(absent))
    assert event.pool != launch(venue="meteora").pool


def test_every_launch_field_is_read_under_both_of_its_names() -> None:
    ours = launch(pool="P", slot=7, price="0.5", liquidity=100, quote="SOL")
    assert ours == Launch(MINT, "raydium", "P", 7, Decimal("0.5"), Decimal(100), to_ms(NOON), "SOL")
    theirs = {"poolAddress": "P", "initialPrice": "0.5", "initialLiquidity": 100, "quoteToken": BY_SYMBOL["SOL"].mint}
    assert launch(slot=7, **theirs) == ours


@pytest.mark.parametrize("body", [PRICE, POOL])
def test_unknown_fields_of_a_feed_are_ignored(body: dict[str, Any]) -> None:
    extra = {"source": "helius", "confidence": 0.9, "slotTime": None, "accounts": [{"key": 1}]}
    assert read_market_event(body | extra, RULES, NOON) == read_market_event(body, RULES, NOON)


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"mint": "short"}, {"mint": "MINT_INVALID"}),
        ({"mint": "0" * 40}, {"mint": "MINT_INVALID"}),
        ({"mint": "JUP"}, {"mint": "MINT_INVALID"}),
        ({"mint": 7}, {"mint": "STRING_TYPE"}),
        ({"mint": BY_SYMBOL["JUP"].mint}, {"mint": "MINT_LISTED"}),
        ({"venue": "orca"}, {"venue": "VENUE_UNKNOWN"}),
        ({"venue": ""}, {"venue": "VENUE_UNKNOWN"}),
        ({"pool": ""}, {"pool": "STRING_TOO_SHORT"}),
        ({"pool": "x" * 65}, {"pool": "STRING_TOO_LONG"}),
        ({"pool": "po\0ol"}, {"pool": "NOT_PRINTABLE"}),
        ({"pool": "pö"}, {"pool": "NOT_PRINTABLE"}),
        ({"slot": -1}, {"slot": "GREATER_THAN_EQUAL"}),
        ({"slot": 2**53 + 1}, {"slot": "LESS_THAN_EQUAL"}),
        ({"slot": "x"}, {"slot": "NUMBER_INVALID"}),
        ({"slot": "7.5"}, {"slot": "INT_FROM_FLOAT"}),
        ({"price": 0}, {"price": "PRICE_NOT_POSITIVE"}),
        ({"initialLiquidity": "-1"}, {"initialLiquidity": "PRICE_NOT_POSITIVE"}),
        ({"quote": "JUP"}, {"quote": "QUOTE_UNKNOWN"}),
        ({"quoteToken": BY_SYMBOL["JUP"].mint}, {"quoteToken": "QUOTE_UNKNOWN"}),
        ({"mint": "x", "venue": "x", "slot": -1}, dict(mint="MINT_INVALID", venue="VENUE_UNKNOWN",
                                                        slot="GREATER_THAN_EQUAL")),
    ],
)  # fmt: skip
def test_an_invalid_launch_event_is_refused(changes: dict[str, Any], errors: dict[str, str]) -> None:
    assert refused(POOL | changes) == errors
