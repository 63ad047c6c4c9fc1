"""Quotes on the wire: each venue has one name, and a route shows the quote of every venue under it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.quotes import no_quotes, quote_body, quote_names, route_body
from chalicelib.codec.exact_json import dumps, loads
from chalicelib.domain.events import QuotesReceived, VenueAnswer
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.tokens import BY_SYMBOL
from tests.support.order_builders import quote

SOL, USDC = BY_SYMBOL["SOL"], BY_SYMBOL["USDC"]
names = st.text("abcm", min_size=2, max_size=6)


@pytest.mark.parametrize(
    ("venues", "expected"),
    [
        (["raydium", "meteora"], ["rQuote", "mQuote"]),
        (["raydium", "meteora", "orca"], ["rQuote", "mQuote", "oQuote"]),
        (["meteora", "raydium"], ["mQuote", "rQuote"]),
        # The initial belongs to the venue that the registry names first.
        (["raydium", "meteora", "mango"], ["rQuote", "mQuote", "mangoQuote"]),
        (["raydium", "meteora", "mango", "rango"], ["rQuote", "mQuote", "mangoQuote", "rangoQuote"]),
        (["orca"], ["oQuote"]),
        ([], []),
    ],
)
def test_a_quote_is_named_by_the_initial_of_its_venue_or_by_its_name_if_the_initial_is_taken(
    venues: list[str], expected: list[str]
) -> None:
    assert list(quote_names(venues).items()) == list(zip(venues, expected, strict=True))


@given(st.lists(names, unique=True, max_size=8))
def test_no_two_venues_share_a_name(venues: list[str]) -> None:
    assert len(set(quote_names(venues).values())) == len(venues)


@given(st.lists(names, unique=True, min_size=1, max_size=8))
def test_a_venue_that_is_added_last_renames_no_other(venues: list[str]) -> None:
    *earlier, added = venues
    assert quote_names(venues) == quote_names(earlier) | {added: quote_names(venues)[added]}


def test_a_venue_without_a_quote_is_null() -> None:
    assert no_quotes(["raydium", "meteora", "orca"]) == {"rQuote": None, "mQuote": None, "oQuote": None}


def test_a_route_shows_every_venue_under_its_name_and_the_failures_by_venue() -> None:
    down = Failure(FailureCode.VENUE_UNAVAILABLE, "mango is down")
    answers = (VenueAnswer("meteora", quote()), VenueAnswer("orca"), VenueAnswer("mango", failure=down))
    body = loads(dumps(route_body(QuotesReceived(answers, "meteora", "the only venue"), SOL, USDC)))
    assert body == {
        "mQuote": {
            "price": Decimal("99.74602"),
            "amountOut": Decimal("199.49204"),
            "amountOutBase": "199492040",
            "fee": Decimal("0.005"),
            "feeBase": "5000000",
            "feeBps": 25,
            "priceImpactPct": Decimal("0.004"),
            "liquidity": 10_000_000,
        },
        "oQuote": None,
        "mangoQuote": None,
        "chosen": "meteora",
        "reason": "the only venue",
        "degraded": True,
        "errors": {"mango": {"code": "VENUE_UNAVAILABLE", "reason": "mango is down"}},
    }


def test_a_route_in_which_no_venue_failed_is_not_degraded_and_has_no_errors() -> None:
    answers = (VenueAnswer("raydium", quote()), VenueAnswer("meteora"))
    body = route_body(QuotesReceived(answers, "raydium", "the only venue"), SOL, USDC)
    assert body["degraded"] is False
    assert "errors" not in body


def test_a_quote_says_when_its_venue_computed_it_unless_an_earlier_version_did() -> None:
    old = quote()
    assert "quotedAt" not in quote_body(old, SOL, USDC)
    timed = replace(old, quoted_at_ms=1_767_268_800_123, price_at_ms=7)
    assert quote_body(timed, SOL, USDC) == {**quote_body(old, SOL, USDC), "quotedAt": "2026-01-01T12:00:00.123Z"}
