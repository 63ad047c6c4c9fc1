"""What limit and sniper orders wait for: price, launch, and for how long."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from chalicelib.api.requests.fields import Number, VenueName, WireModel
from chalicelib.api.requests.swaps import SwapModel
from chalicelib.codec.times import from_text
from chalicelib.domain.conditions import MAX_ORDER_LIFETIME, LaunchTerms, TimeInForce, min_output_at_price
from chalicelib.domain.money import plain, to_base_units
from chalicelib.domain.status import OrderType
from chalicelib.domain.tokens import any_token, find_pair, find_token, side_of

#: More digits than any price has that could matter; DynamoDB keeps 38.
_PRICE_DIGITS = 20
_PRICE_DECIMALS = 18
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


def _price(value: Decimal) -> Decimal:
    if value <= 0:
        raise PydanticCustomError("price_not_positive", "must be greater than 0")
    # Written out, so that a large exponent counts for the digits that it stands for, and each digit counts.
    _, digits, exponent = plain(value).as_tuple()
    if len(digits) > _PRICE_DIGITS or not isinstance(exponent, int) or exponent < -_PRICE_DECIMALS:
        raise PydanticCustomError(
            "price_too_precise",
            "may have {digits} digits and {decimals} decimals at most",
            {"digits": _PRICE_DIGITS, "decimals": _PRICE_DECIMALS},
        )
    return value


def _time(value: Any) -> datetime:
    text = value.upper() if isinstance(value, str) else ""
    try:
        # Python would take much more that ISO 8601 allows, and some clients do not mean.
        return from_text(text if _RFC3339.fullmatch(text) else "")
    except ValueError:
        raise PydanticCustomError("time_invalid", "must be an RFC 3339 time with a zone") from None


def _ahead(value: datetime, info: ValidationInfo) -> datetime:
    context = info.context or {}
    now: datetime = context["now"]
    # As times are written: an order is to be the same before and after.
    value = value.replace(microsecond=value.microsecond // 1000 * 1000)
    if value <= now and not context.get("repeated"):
        raise PydanticCustomError("expiry_past", "must be in the future")
    if value > now + MAX_ORDER_LIFETIME:
        raise PydanticCustomError(
            "expiry_too_far", "may be {days} days ahead at most", {"days": MAX_ORDER_LIFETIME.days}
        )
    return value


Price = Annotated[Number, AfterValidator(_price)]
Time = Annotated[datetime, BeforeValidator(_time)]
Expiry = Annotated[Time, AfterValidator(_ahead)]


class LaunchModel(WireModel):
    """The launch that a sniper order waits for."""

    mint: str | None = None
    venue: VenueName | None = None
    min_liquidity: Price | None = Field(None, alias="minLiquidity")
    max_price: Price | None = Field(None, alias="maxPrice")

    @field_validator("mint")
    @classmethod
    def _is_a_mint(cls, value: str | None) -> str | None:
        if value is not None and any_token(value) is None:
            raise PydanticCustomError("mint_invalid", "must be the address of a mint")
        return value


class TermsModel(SwapModel):
    """A swap, and when it is to be made. The context has ``now``, and ``repeated`` for one that may have expired."""

    type: OrderType = Field(OrderType.MARKET, strict=False)
    limit_price: Price | None = Field(
        None, validation_alias=AliasChoices("limitPrice", "targetPrice"), validate_default=True
    )
    launch: LaunchModel | None = Field(None, validate_default=True)
    time_in_force: TimeInForce | None = Field(None, alias="timeInForce", strict=False)
    expires_at: Expiry | None = Field(None, alias="expiresAt", validate_default=True)

    @field_validator("limit_price")
    @classmethod
    def _limit_orders_have_a_price(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        kind = info.data.get("type")
        if kind is OrderType.LIMIT and value is None:
            raise PydanticCustomError("required", "is required with type limit")
        if value is not None and kind in (OrderType.MARKET, OrderType.SNIPER):
            raise PydanticCustomError("not_for_type", "is for type limit")
        if value is not None and _buys_nothing(info.data, value):
            raise PydanticCustomError("price_out_of_reach", "leaves nothing to get for this amount")
        return value

    @field_validator("launch")
    @classmethod
    def _launch_is_of_what_is_bought(cls, value: LaunchModel | None, info: ValidationInfo) -> LaunchModel | None:
        if value is None:
            return None
        if info.data.get("type", OrderType.SNIPER) is not OrderType.SNIPER:
            raise PydanticCustomError("not_for_type", "is for type sniper")
        bought = any_token(info.data.get("token_out", ""))
        if bought and value.mint and any_token(value.mint) != bought:
            raise PydanticCustomError("mint_contradicts", "mint must be the token that is bought, tokenOut")
        return value

    @field_validator("time_in_force")
    @classmethod
    def _orders_wait_as_they_can(cls, value: TimeInForce | None, info: ValidationInfo) -> TimeInForce | None:
        kind = info.data.get("type")
        if value is not None and kind is OrderType.MARKET:
            raise PydanticCustomError("not_for_type", "is for types limit and sniper")
        if value is TimeInForce.IOC and kind is OrderType.SNIPER:
            raise PydanticCustomError("not_for_type", "IOC is for type limit")
        return value

    @field_validator("expires_at")
    @classmethod
    def _expiry_fits(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        in_force = info.data.get("time_in_force")
        if value is None:
            if in_force is TimeInForce.GTD:
                raise PydanticCustomError("required", "is required with timeInForce GTD")
            return None
        if info.data.get("type") is OrderType.MARKET:
            raise PydanticCustomError("not_for_type", "is for types limit and sniper")
        if in_force in (TimeInForce.GTC, TimeInForce.IOC):
            raise PydanticCustomError(
                "expiry_contradicts", "contradicts timeInForce {given}; it goes with GTD", {"given": in_force.value}
            )
        return value

    @property
    def in_force(self) -> TimeInForce | None:
        """A date alone means GTD; orders that wait do so until cancelled where nothing is said."""
        if self.type is OrderType.MARKET:
            return None
        return self.time_in_force or (TimeInForce.GTD if self.expires_at else TimeInForce.GTC)

    @property
    def launch_terms(self) -> LaunchTerms | None:
        if self.type is not OrderType.SNIPER:
            return None
        mint, wanted = self.tokens[1].mint, self.launch
        if wanted is None:
            return LaunchTerms(mint)
        return LaunchTerms(mint, wanted.venue, wanted.min_liquidity, wanted.max_price)


def _buys_nothing(data: dict[str, Any], limit_price: Decimal) -> bool:
    """Whether the least output at this price is less than one base unit."""
    token_in, token_out, amount = (data.get(name) for name in ("token_in", "token_out", "amount_in"))
    if not (token_in and token_out and amount):
        return False
    paid, got = find_token(token_in), any_token(token_out)
    pair = find_pair(paid, got) if paid and got else None
    if not (paid and got and pair):
        return False
    return min_output_at_price(side_of(pair, paid), paid, got, to_base_units(amount, paid.decimals), limit_price) < 1
