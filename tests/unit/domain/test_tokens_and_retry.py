"""The registry, the naming of markets, and the backoff."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.retry import backoff_seconds
from chalicelib.domain.tokens import BY_SYMBOL, Side, find_pair, find_token, side_of

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
