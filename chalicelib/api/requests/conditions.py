"""The conditions of limit and sniper orders: price, launch and lifetime."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, ValidationInfo, field_validator

from chalicelib.api.codes import FieldCode
from chalicelib.api.errors import bad_field
from chalicelib.api.refusals import RULES
from chalicelib.api.requests.fields import Number, RequestModel, VenueName
from chalicelib.api.requests.swaps import SwapModel
from chalicelib.codec.times import from_text
from chalicelib.domain.conditions import (
    MAX_ORDER_LIFETIME,
    LaunchTerms,
    TimeInForce,
    min_output_at_price,
    rule_of_min_output,
)
from chalicelib.domain.money import plain, to_base_units
from chalicelib.domain.status import OrderType
from chalicelib.domain.tokens import any_token, find_pair, find_token, side_of

#: Bounds beyond any meaningful price; DynamoDB keeps 38 digits.
_PRICE_DIGITS = 20
_PRICE_DECIMALS = 18
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII)


def _price(value: Decimal) -> Decimal:
    if value <= 0:
        raise bad_field(FieldCode.PRICE_NOT_POSITIVE, "must be greater than 0")
    _, digits, exponent = value.as_tuple()
    # A large exponent counts as the digits that it abbreviates.
    whole_digits = value.adjusted() + 1
    if max(len(digits), whole_digits) > _PRICE_DIGITS or not isinstance(exponent, int) or exponent < -_PRICE_DECIMALS:
        message = f"may have at most {_PRICE_DIGITS} digits and {_PRICE_DECIMALS} decimals"
        raise bad_field(FieldCode.PRICE_TOO_PRECISE, message)
    return plain(value)


def _time(value: Any) -> datetime:
    text = value.upper() if isinstance(value, str) else ""
    # Python accepts further ISO 8601 forms that clients may write by mistake.
    if not _RFC3339.fullmatch(text):
        raise bad_field(FieldCode.TIME_INVALID, "must be an RFC 3339 time with a zone")
    try:
        return from_text(text)
    except ValueError:
        raise bad_field(
            FieldCode.TIME_INVALID, "must be a time of the years 1 to 9999, and not a leap second"
        ) from None


def _future(value: datetime, info: ValidationInfo) -> datetime:
    context = info.context or {}
    now: datetime = context["now"]
    # Times are stored in milliseconds, and an order must not change when it is stored.
    value = value.replace(microsecond=value.microsecond // 1000 * 1000)
    if value <= now and not context.get("repeated"):
        raise bad_field(FieldCode.EXPIRY_PAST, "must be in the future")
    if value > now + MAX_ORDER_LIFETIME:
        raise bad_field(FieldCode.EXPIRY_TOO_FAR, f"may be at most {MAX_ORDER_LIFETIME.days} days ahead")
    return value


Price = Annotated[Number, AfterValidator(_price)]
Time = Annotated[datetime, BeforeValidator(_time)]
Expiry = Annotated[Time, AfterValidator(_future)]


class LaunchModel(RequestModel):
    """The filters of a sniper order."""

    mint: str | None = None
    venue: VenueName | None = None
    min_liquidity: Price | None = Field(None, alias="minLiquidity")
    max_price: Price | None = Field(None, alias="maxPrice")

    @field_validator("mint")
    @classmethod
    def _check_mint(cls, value: str | None) -> str | None:
        if value is not None and any_token(value) is None:
            raise bad_field(FieldCode.MINT_INVALID, "must be the address of a mint")
        return value


class ConditionsModel(SwapModel):
    """A swap and its conditions. The context has ``now``, and ``repeated`` for an order whose expiry may be past."""

    type: OrderType = Field(OrderType.MARKET, strict=False)
    limit_price: Price | None = Field(
        None, validation_alias=AliasChoices("limitPrice", "targetPrice"), validate_default=True
    )
    launch: LaunchModel | None = Field(None, validate_default=True)
    time_in_force: TimeInForce | None = Field(None, alias="timeInForce", strict=False)
    expires_at: Expiry | None = Field(None, alias="expiresAt", validate_default=True)

    @field_validator("limit_price")
    @classmethod
    def _check_limit_price(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        kind = info.data.get("type")
        if kind is OrderType.LIMIT and value is None:
            raise bad_field(FieldCode.REQUIRED, "is required with type limit")
        if value is not None and kind in (OrderType.MARKET, OrderType.SNIPER):
            raise bad_field(FieldCode.NOT_FOR_TYPE, "is for type limit")
        if value is not None:
            _check_reach(info.data, value)
        return value

    @field_validator("launch")
    @classmethod
    def _check_launch(cls, value: LaunchModel | None, info: ValidationInfo) -> LaunchModel | None:
        if value is None:
            return None
        if info.data.get("type", OrderType.SNIPER) is not OrderType.SNIPER:
            raise bad_field(FieldCode.NOT_FOR_TYPE, "is for type sniper")
        bought = any_token(info.data.get("token_out", ""))
        if bought and value.mint and any_token(value.mint) != bought:
            raise bad_field(FieldCode.MINT_CONTRADICTS, "its mint must be the token that the order buys, tokenOut")
        if value.max_price is not None:
            _check_reach(info.data, value.max_price)
        return value

    @field_validator("time_in_force")
    @classmethod
    def _check_time_in_force(cls, value: TimeInForce | None, info: ValidationInfo) -> TimeInForce | None:
        kind = info.data.get("type")
        if value is not None and kind is OrderType.MARKET:
            raise bad_field(FieldCode.NOT_FOR_TYPE, "is for types limit and sniper")
        if value is TimeInForce.IOC and kind is OrderType.SNIPER:
            raise bad_field(FieldCode.NOT_FOR_TYPE, "IOC is for type limit")
        return value

    @field_validator("expires_at")
    @classmethod
    def _check_expiry(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        in_force = info.data.get("time_in_force")
        if value is None:
            if in_force is TimeInForce.GTD:
                raise bad_field(FieldCode.REQUIRED, "is required with timeInForce GTD")
            return None
        if info.data.get("type") is OrderType.MARKET:
            raise bad_field(FieldCode.NOT_FOR_TYPE, "is for types limit and sniper")
        if in_force in (TimeInForce.GTC, TimeInForce.IOC):
            raise bad_field(
                FieldCode.EXPIRY_CONTRADICTS, f"contradicts timeInForce {in_force.value}; it goes with GTD"
            )
        return value

    @property
    def in_force(self) -> TimeInForce | None:
        """The time in force: GTD with a date alone, GTC by default, ``None`` for market orders."""
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


def _check_reach(data: dict[str, Any], price: Decimal) -> None:
    """Refuse a price whose minimum output is less than one base unit, or more than an account can hold."""
    token_in, token_out, amount = (data.get(name) for name in ("token_in", "token_out", "amount_in"))
    if not (token_in and token_out and amount):
        return
    paid, bought = find_token(token_in), any_token(token_out)
    pair = find_pair(paid, bought) if paid and bought else None
    if not (paid and bought and pair):
        return
    amount_in = to_base_units(amount, paid.decimals)
    broken = rule_of_min_output(min_output_at_price(side_of(pair, paid), paid, bought, amount_in, price))
    if broken:
        raise bad_field(*RULES[broken])
