"""Events of a market feed: a price, or a pool that was opened. Unknown fields of a feed are ignored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import AliasChoices, ConfigDict, Field, field_validator

from chalicelib.api.codes import FieldCode
from chalicelib.api.errors import bad_field
from chalicelib.api.requests.conditions import Price
from chalicelib.api.requests.fields import RequestModel, VenueName, WholeNumber, validated
from chalicelib.api.requests.rules import RequestRules
from chalicelib.codec.times import to_ms
from chalicelib.domain.conditions import Launch
from chalicelib.domain.tokens import BY_MINT, QUOTE_SYMBOLS, Pair, find_market, launched_token

#: Defaults for a pool whose feed names no liquidity or price.
_LIQUIDITY = Decimal(10_000)
_PRICE = Decimal("0.001")
_MAX_SLOT = 2**53
#: Feeds have their own names for pools.
_MAX_POOL_LENGTH = 64


@dataclass(frozen=True, slots=True)
class PriceEvent:
    """The reference price of a pair, quote per base."""

    pair: Pair
    price: Decimal


class _FeedModel(RequestModel):
    model_config = ConfigDict(extra="ignore")


class KindModel(_FeedModel):
    type: Literal["price", "pool_created"]


class PriceModel(KindModel):
    pair: str
    price: Price

    @field_validator("pair")
    @classmethod
    def _check_pair(cls, value: str) -> str:
        pair = find_market(value)
        if pair is None:
            raise bad_field(FieldCode.PAIR_UNKNOWN, "must be two tokens with a market, as in SOL/USDC")
        base = value.replace("-", "/").partition("/")[0]
        # A price of the inverted pair would be its own inverse.
        if base not in (pair.base.symbol, pair.base.mint):
            raise bad_field(FieldCode.PAIR_INVERTED, f"must be base/quote, {pair.name}")
        return value


class PoolModel(KindModel):
    mint: str
    venue: VenueName
    pool: str | None = Field(
        None, validation_alias=AliasChoices("pool", "poolAddress"), min_length=1, max_length=_MAX_POOL_LENGTH
    )
    slot: WholeNumber | None = Field(None, ge=0, le=_MAX_SLOT)
    price: Price = Field(_PRICE, validation_alias=AliasChoices("price", "initialPrice"))
    liquidity: Price = Field(_LIQUIDITY, validation_alias=AliasChoices("liquidity", "initialLiquidity"))
    quote: str | None = Field(None, validation_alias=AliasChoices("quote", "quoteToken"))

    @field_validator("mint")
    @classmethod
    def _check_mint(cls, value: str) -> str:
        if launched_token(value) is None:
            raise bad_field(FieldCode.MINT_INVALID, "must be the address of a mint")
        if value in BY_MINT:
            raise bad_field(FieldCode.MINT_LISTED, "is a token of the registry, whose pools are open already")
        return value

    @field_validator("pool")
    @classmethod
    def _check_pool(cls, value: str | None) -> str | None:
        if value is not None and not (value.isascii() and value.isprintable()):
            raise bad_field(FieldCode.NOT_PRINTABLE, "must be printable ASCII characters")
        return value

    @field_validator("quote")
    @classmethod
    def _check_quote(cls, value: str | None) -> str | None:
        symbol = BY_MINT[value].symbol if value in BY_MINT else value
        if symbol is not None and symbol not in QUOTE_SYMBOLS:
            raise bad_field(FieldCode.QUOTE_UNKNOWN, f"must be one of {', '.join(QUOTE_SYMBOLS)}")
        return symbol

    def launch(self, now: datetime, rules: RequestRules) -> Launch:
        return Launch(
            mint=self.mint,
            venue=self.venue,
            pool=self.pool or rules.pool_address(self.venue, self.mint, self.quote or ""),
            # A pool whose feed names no slot has one launch.
            slot=self.slot or 0,
            price=self.price,
            liquidity=self.liquidity,
            at_ms=to_ms(now),
            quote=self.quote,
        )


def read_market_event(body: Mapping[str, Any], rules: RequestRules, now: datetime) -> PriceEvent | Launch:
    """:raises InvalidOrderError: naming every bad field."""
    if body.get("type") == "pool_created":
        return validated(PoolModel, body, venues=rules.venues).launch(now, rules)
    if body.get("type") == "price":
        event = validated(PriceModel, body)
        pair = find_market(event.pair)
        if pair is None:
            raise LookupError("a validated pair has a market")
        return PriceEvent(pair, event.price)
    # The type is unknown, which this validation reports.
    validated(KindModel, body)
    raise LookupError("a validated event is of a known type")
