"""The registry, the naming of markets, and the backoff."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.retry import backoff_seconds
from chalicelib.domain.tokens import BY_MINT, BY_SYMBOL, Side, Token, find_pair, find_token, side_of

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@pytest.mark.parametrize("token", BY_SYMBOL.values(), ids=lambda token: token.symbol)
def test_a_mint_is_a_solana_address(token: object) -> None:
    number = 0
    for character in token.mint:  # type: ignore[attr-defined]
        number = number * 58 + _ALPHABET.index(character)
    zeros = len(token.mint) - len(token.mint.lstrip("1"))  # type: ignore[attr-defined]
    assert zeros + (number.bit_length() + 7) // 8 == 32


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        ("SOL", "USDC", "SOL/USDC"),
        ("USDC", "SOL", "SOL/USDC"),
        ("USDT", "USDC", "USDT/USDC"),
        ("SOL", "USDT", "SOL/USDT"),
        ("BONK", "SOL", "BONK/SOL"),
    ],
)
def test_a_market_is_named_by_the_first_quote_token_in_it(one: str, other: str, name: str) -> None:
    pair = find_pair(BY_SYMBOL[one], BY_SYMBOL[other])
    assert pair is not None
    assert pair.name == name
    assert side_of(pair, pair.quote) is Side.BUY
    assert side_of(pair, pair.base) is Side.SELL


def test_two_tokens_of_which_none_is_a_quote_token_have_no_market() -> None:
    assert find_pair(BY_SYMBOL["BONK"], BY_SYMBOL["JUP"]) is None


def test_a_token_is_found_by_symbol_and_by_mint() -> None:
    assert find_token("SOL") is find_token("So11111111111111111111111111111111111111112") is BY_SYMBOL["SOL"]
    assert find_token("sol") is None


@given(st.integers(1, 60), st.floats(0, 1))
def test_backoff_grows_with_the_attempt_up_to_the_cap(attempt: int, chance: float) -> None:
    seconds = backoff_seconds(attempt, 1.0, 20.0, lambda low, high: low + (high - low) * chance)
    assert 0 <= seconds <= min(20.0, 2 ** (attempt - 1))


@pytest.mark.parametrize("attempt", range(1, 9))
def test_the_wait_is_drawn_from_nothing_up_to_a_ceiling_that_doubles(attempt: int) -> None:
    ceilings = [1, 2, 4, 8, 16, 20, 20, 20]
    drawn: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    assert backoff_seconds(attempt, 1.0, 20.0, uniform) == ceilings[attempt - 1]
    assert drawn == [(0, ceilings[attempt - 1])]


@pytest.mark.parametrize(("one", "other"), permutations(BY_SYMBOL.values(), 2), ids=lambda token: token.symbol)
def test_every_two_tokens_have_one_market_whichever_is_paid(one: Token, other: Token) -> None:
    order = ["USDC", "USDT", "SOL"]
    quotes = [symbol for symbol in order if symbol in (one.symbol, other.symbol)]
    pair = find_pair(one, other)
    assert pair == find_pair(other, one)
    assert (pair and pair.quote.symbol) == (quotes[0] if quotes else None)
    if pair:
        assert {pair.base, pair.quote} == {one, other}


def test_no_two_tokens_share_a_symbol_or_a_mint() -> None:
    assert len(BY_SYMBOL) == len(BY_MINT)
    assert all(find_token(token.mint) is find_token(token.symbol) is token for token in BY_SYMBOL.values())


@pytest.mark.parametrize("token", BY_SYMBOL.values(), ids=lambda token: token.symbol)
def test_a_token_has_a_price_and_decimals_as_on_chain(token: Token) -> None:
    assert 0 <= token.decimals <= 9
    assert token.usd > 0
