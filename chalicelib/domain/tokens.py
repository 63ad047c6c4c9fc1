"""The token registry: symbol, mint and decimals as on Solana's mainnet.

Mints and decimals are those of the tokens' SPL mint accounts.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.base58 import byte_length


@dataclass(frozen=True, slots=True)
class Token:
    symbol: str
    name: str
    mint: str
    decimals: int


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tokens as a market names them: a price is always ``quote`` per ``base``."""

    base: Token
    quote: Token

    @property
    def name(self) -> str:
        return f"{self.base.symbol}/{self.quote.symbol}"


_TOKENS = (
    Token("SOL", "Solana", "So11111111111111111111111111111111111111112", 9),
    Token("USDC", "USD Coin", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", 6),
    Token("USDT", "Tether USD", "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB", 6),
    Token("JUP", "Jupiter", "JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN", 6),
    Token("RAY", "Raydium", "4k3Dyjzvzp8eMZWUXbBCjEvwSkkk59S5iCNLY3QrkX6R", 6),
    Token("BONK", "Bonk", "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263", 5),
    Token("WIF", "dogwifhat", "EKpQGSJtjMFqKZ9KQanSqYXRcF8fBopzLHYxdM65zcjm", 6),
    Token("PYTH", "Pyth Network", "HZ1JovNiVvGrGNiiYvEozEVgZ58xaU3RKwX8eACQBCt3", 6),
    Token("JTO", "Jito", "jtojtomepa8beP8AuQc6eXt5FriJwfFMwQx2v2f9mCL", 9),
    Token("ORCA", "Orca", "orcaEKTdK7LKz57vaAYr9QeNsVEPfiu6QeMU1kektZE", 6),
    Token("mSOL", "Marinade staked SOL", "mSoLzYCxHdYgdzU16g5QSh3i5K3z3KZK7ytfqcJm7So", 9),
)

BY_SYMBOL = {token.symbol: token for token in _TOKENS}
BY_MINT = {token.mint: token for token in _TOKENS}
SOL = BY_SYMBOL["SOL"]

#: The quote token of a pair is the first of these in the pair.
QUOTE_SYMBOLS = ("USDC", "USDT", "SOL")

#: Decimals of a mint outside the registry. Nearly every token that launches on Solana has six.
_LAUNCHED_DECIMALS = 6
#: A mint is an ed25519 public key, or an address of that form.
_MINT_BYTES = 32
#: The form of base58 that 32 bytes can have. Some text of this form encodes fewer bytes or more.
_MINT_FORM = re.compile("[1-9A-HJ-NP-Za-km-z]{32,44}")


def find_token(symbol_or_mint: str) -> Token | None:
    """The token of that symbol or mint (both are case-sensitive, as on chain)."""
    return BY_SYMBOL.get(symbol_or_mint) or BY_MINT.get(symbol_or_mint)


def launched_token(mint: str) -> Token | None:
    """A token outside the registry, named by its mint; ``None`` if the text is not a mint."""
    is_mint = _MINT_FORM.fullmatch(mint) and byte_length(mint) == _MINT_BYTES
    return _unlisted(mint) if is_mint else None


def stored_token(symbol_or_mint: str) -> Token | None:
    """The token of a stored order. The mint of an old order may have the form of a mint alone."""
    known = find_token(symbol_or_mint)
    return known or (_unlisted(symbol_or_mint) if _MINT_FORM.fullmatch(symbol_or_mint) else None)


def _unlisted(mint: str) -> Token:
    return Token(mint, mint, mint, _LAUNCHED_DECIMALS)


def any_token(symbol_or_mint: str) -> Token | None:
    """A token of the registry, or one that may be launched."""
    return find_token(symbol_or_mint) or launched_token(symbol_or_mint)


def find_market(name: str) -> Pair | None:
    """The market of that name, as in ``SOL/USDC`` or ``SOL-USDC``. Tokens outside the registry are allowed."""
    one, _, other = name.replace("-", "/").partition("/")
    tokens = any_token(one), any_token(other)
    return find_pair(tokens[0], tokens[1]) if tokens[0] and tokens[1] and tokens[0] != tokens[1] else None


def find_pair(one: Token, other: Token) -> Pair | None:
    """The market of two tokens; ``None`` if neither is a quote token."""
    for symbol in QUOTE_SYMBOLS:
        if symbol == one.symbol:
            return Pair(base=other, quote=one)
        if symbol == other.symbol:
            return Pair(base=one, quote=other)
    return None


def market_of(one: Token, other: Token) -> Pair:
    """:raises LookupError: if the two tokens have no market."""
    pair = find_pair(one, other)
    if pair is None:
        raise LookupError(f"no market of {one.symbol} and {other.symbol}")
    return pair


def side_of(pair: Pair, token_in: Token) -> Side:
    """Paying with the quote token is a buy."""
    return Side.BUY if token_in == pair.quote else Side.SELL
