"""What a market feed tells: a price, or a pool that was opened. What else it tells is not ours to refuse."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import AliasChoices, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from chalicelib.api.requests.conditions import Price
from chalicelib.api.requests.fields import VenueName, WireModel, validated
from chalicelib.codec.times import to_ms
from chalicelib.domain.conditions import Launch
from chalicelib.domain.tokens import BY_MINT, QUOTE_SYMBOLS, Pair, find_market, launched_token
from chalicelib.simulation.launches import pool_address

#: What a pool is taken to hold, and to cost, of which nothing else was told.
_LIQUIDITY = Decimal(10_000)
_PRICE = Decimal("0.001")
_MAX_SLOT = 2**53
#: A feed names pools as it likes.
_MAX_POOL_LENGTH = 64


@dataclass(frozen=True, slots=True)
class PriceEvent:
    """The reference price of a pair, quote per base."""

    pair: Pair
    price: Decimal


class _FeedModel(WireModel):
    model_config = ConfigDict(extra="ignore")


class KindModel(_FeedModel):
    type: Literal["price", "pool_created"]


class PriceModel(KindModel):
    pair: str
    price: Price

    @field_validator("pair")
    @classmethod
    def _pair_is_known(cls, value: str) -> str:
        pair = find_market(value)
        if pair is None:
            raise PydanticCustomError("pair_unknown", "must be two tokens with a market, as in SOL/USDC")
        base = value.replace("-", "/").partition("/")[0]
        # Taken the other way round, a price would be its own inverse.
        if base not in (pair.base.symbol, pair.base.mint):
            raise PydanticCustomError("pair_inverted", "must be base/quote, {name}", {"name": pair.name})
        return value


class PoolModel(KindModel):
    mint: str
    venue: VenueName
    pool: str | None = Field(
        None, validation_alias=AliasChoices("pool", "poolAddress"), min_length=1, max_length=_MAX_POOL_LENGTH
    )
    slot: int | None = Field(None, ge=0, le=_MAX_SLOT)
    price: Price = Field(_PRICE, validation_alias=AliasChoices("price", "initialPrice"))
    liquidity: Price = Field(_LIQUIDITY, validation_alias=AliasChoices("liquidity", "initialLiquidity"))
    quote: str | None = Field(None, validation_alias=AliasChoices("quote", "quoteToken"))

    @field_validator("mint")
    @classmethod
    def _mint_may_launch(cls, value: str) -> str:
        if launched_token(value) is None:
            raise PydanticCustomError("mint_invalid", "must be the address of a mint")
        if value in BY_MINT:
            raise PydanticCustomError("mint_listed", "is a token of the registry, whose pools are open already")
        return value

    @field_validator("pool")
    @classmethod
    def _pool_is_text(cls, value: str | None) -> str | None:
        if value is not None and not (value.isascii() and value.isprintable()):
            raise PydanticCustomError("not_printable", "must be printable ASCII characters")
        return value

    @field_validator("quote")
    @classmethod
    def _is_a_quote_token(cls, value: str | None) -> str | None:
        symbol = BY_MINT[value].symbol if value in BY_MINT else value
        if symbol is not None and symbol not in QUOTE_SYMBOLS:
            raise PydanticCustomError("quote_unknown", "must be one of {known}", {"known": ", ".join(QUOTE_SYMBOLS)})
        return symbol

    def launch(self, now: datetime) -> Launch:
        return Launch(
            mint=self.mint,
            venue=self.venue,
            pool=self.pool or pool_address(self.venue, self.mint, self.quote or ""),
            # Where none is told, a pool has one launch.
            slot=self.slot or 0,
            price=self.price,
            liquidity=self.liquidity,
            at_ms=to_ms(now),
            quote=self.quote,
        )


def read_market_event(body: Mapping[str, Any], now: datetime) -> PriceEvent | Launch:
    """:raises InvalidOrderError: naming every bad field."""
    if body.get("type") == "pool_created":
        return validated(PoolModel, body).launch(now)
    if body.get("type") == "price":
        told = validated(PriceModel, body)
        pair = find_market(told.pair)
        if pair is None:
            raise LookupError("a validated pair has a market")
        return PriceEvent(pair, told.price)
    # Neither, and so its type is what is wrong with it.
    validated(KindModel, body)
    raise LookupError("a validated event is of a known type")
