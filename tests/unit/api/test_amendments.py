"""Requests that amend an open order."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.api.errors import InvalidOrderError
from chalicelib.api.problems import ProblemError
from chalicelib.api.requests.amendments import read_amendment, read_if_match
from chalicelib.codec.times import to_text
from chalicelib.domain.conditions import Amendment

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
TOMORROW = NOON + timedelta(days=1)


def refused(body: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidOrderError) as caught:
        read_amendment(body, NOON)
    return {error.field: error.code for error in caught.value.errors}


@pytest.mark.parametrize(
    ("body", "amendment"),
    [
        ({"limitPrice": "101.5"}, Amendment(limit_price=Decimal("101.5"))),
        ({"targetPrice": 101}, Amendment(limit_price=Decimal(101))),
        ({"slippage": "0.5"}, Amendment(slippage_bps=50)),
        ({"slippageBps": 0}, Amendment(slippage_bps=0)),
        ({"slippage": 1, "slippageBps": 100}, Amendment(slippage_bps=100)),
        ({"expiresAt": to_text(TOMORROW)}, Amendment(expires_at=TOMORROW)),
        ({"limitPrice": 1, "expiresAt": None, "slippage": None}, Amendment(limit_price=Decimal(1))),
    ],
)
def test_an_amendment_changes_only_the_given_fields(body: dict[str, Any], amendment: Amendment) -> None:
    assert read_amendment(body, NOON) == amendment


@pytest.mark.parametrize("body", [{}, {"limitPrice": None}, {"expiresAt": None, "slippageBps": None}])
def test_an_amendment_without_a_change_is_refused(body: dict[str, Any]) -> None:
    assert refused(body) == {"limitPrice": "NOTHING_TO_AMEND"}


def test_all_invalid_fields_are_reported_together() -> None:
    body = {"limitPrice": 0, "slippage": 51, "slippageBps": 6000, "expiresAt": to_text(NOON), "amountIn": 2}
    assert refused(body) == {
        "limitPrice": "PRICE_NOT_POSITIVE",
        "slippage": "SLIPPAGE_OUT_OF_RANGE",
        "slippageBps": "LESS_THAN_EQUAL",
        "expiresAt": "EXPIRY_PAST",
        "amountIn": "UNKNOWN_FIELD",
    }


@pytest.mark.parametrize("name", ["amountIn", "side", "type", "tokenOut", "timeInForce", "launch", "limit_price"])
def test_an_amendment_changes_price_tolerance_and_expiry_only(name: str) -> None:
    assert refused({"limitPrice": 1, name: 1}) == {name: "UNKNOWN_FIELD"}


@pytest.mark.parametrize(
    ("header", "seqs"),
    [
        ('"2"', {2}),
        ("2", {2}),
        (' "17" ', {17}),
        ('W/"3"', {3}),
        ('"1", "5"', {1, 5}),
        ('"1","5" ,W/"7"\t, 9', {1, 5, 7, 9}),
        (', "5",,', {5}),
        ('"5", "abc"', {5}),
        ('"a,b", "5"', {5}),
    ],
)
def test_if_match_allows_every_seq_of_its_list(header: str, seqs: set[int]) -> None:
    assert read_if_match(header) == frozenset(seqs)


@pytest.mark.parametrize("header", [None, "*", " * "])
def test_without_if_match_or_with_a_star_any_seq_will_do(header: str | None) -> None:
    assert read_if_match(header) is None


@pytest.mark.parametrize("header", ['"abc"', '""', '"-1"', '"0"', '"02"', '"999999999"', 'W/"x"', '"é"'])
def test_a_tag_that_is_no_seq_matches_no_order(header: str) -> None:
    assert read_if_match(header) == frozenset()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "two",
        "1.5",
        "\u0662",
        "9" * 9,
        "W/",
        ",",
        '"1" "2"',
        '"1"2',
        '"1", two',
        '*, "1"',
        '"1", *',
        '"a b"',
        '"1\x7f"',
        "W/2",
        '"2',
        '2"',
        '""2""',
        "1e2",
        "0x1",
        "²",
    ],
)
def test_an_if_match_that_is_not_a_seq_is_malformed(header: str) -> None:
    with pytest.raises(ProblemError) as caught:
        read_if_match(header)
    assert (caught.value.problem.status, caught.value.problem.code) == (400, "MALFORMED_IF_MATCH")
