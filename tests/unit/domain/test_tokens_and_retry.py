"""The token registry, market names, and the backoff of retries."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.retry import backoff_seconds
from chalicelib.domain.tokens import BY_MINT, BY_SYMBOL, Side, Token, find_pair, find_token, side_of

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@pytest.mark.parametrize("token", BY_SYMBOL.values(), ids=lambda token: token.symbol)
def test_a_mint_is_a_solana_address(token: Token) -> None:
    number = 0
    for character in token.mint:
        number = number * 58 + _ALPHABET.index(character)
    zeros = len(token.mint) - len(token.mint.lstrip("1"))
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


@pytest.mark.parametrize(("one", "other"), list(combinations(BY_SYMBOL, 2)))
def test_a_market_is_the_same_from_both_sides_and_has_the_quote_token_that_comes_first(one: str, other: str) -> None:
    pair = find_pair(BY_SYMBOL[one], BY_SYMBOL[other])
    assert pair == find_pair(BY_SYMBOL[other], BY_SYMBOL[one])
    quotes = [symbol for symbol in ("USDC", "USDT", "SOL") if symbol in (one, other)]
    if not quotes:
        assert pair is None
    else:
        assert pair is not None
        assert pair.quote.symbol == quotes[0]
        assert {pair.base.symbol, pair.quote.symbol} == {one, other}


def test_no_two_tokens_share_a_symbol_or_a_mint() -> None:
    assert len(BY_MINT) == len(BY_SYMBOL)
    assert all(0 <= token.decimals <= 9 for token in BY_SYMBOL.values())


def test_two_tokens_without_a_quote_token_have_no_market() -> None:
    assert find_pair(BY_SYMBOL["BONK"], BY_SYMBOL["JUP"]) is None


def test_a_token_is_found_by_symbol_and_by_mint() -> None:
    assert find_token("SOL") is find_token("So11111111111111111111111111111111111111112") is BY_SYMBOL["SOL"]
    assert find_token("sol") is None


@given(st.integers(1, 60), st.floats(0, 1))
def test_backoff_grows_with_the_attempt_up_to_the_cap(attempt: int, chance: float) -> None:
    seconds = backoff_seconds(attempt, 1.0, 20.0, lambda low, high: low + (high - low) * chance)
    assert 0 <= seconds <= min(20.0, 2 ** (attempt - 1))


@pytest.mark.parametrize(("attempt", "longest"), [(1, 1.0), (2, 2.0), (3, 4.0), (5, 16.0), (6, 20.0), (60, 20.0)])
def test_the_longest_wait_doubles_until_the_cap(attempt: int, longest: float) -> None:
    assert backoff_seconds(attempt, 1.0, 20.0, lambda low, high: high) == longest
    assert backoff_seconds(attempt, 1.0, 20.0, lambda low, high: low) == 0
