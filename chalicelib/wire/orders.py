"""An order as a client writes it, checked field by field so that every bad one is named at once."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import AliasChoices, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from chalicelib.domain.money import MAX_BASE_UNITS, to_base_units
from chalicelib.domain.orders import OrderSpec, Priority
from chalicelib.domain.status import OrderType
from chalicelib.domain.tokens import Pair, Side, Token, find_pair, find_token, side_of
from chalicelib.routing.faults import Fault
from chalicelib.wire.fields import Number, UserId, WireModel, validated

ANONYMOUS = "anonymous"
_DEFAULT_SLIPPAGE_BPS = 100


class SwapModel(WireModel):
    """Which token is to be swapped for which, and how much. Later fields are checked against earlier ones."""

    token_in: str = Field(alias="tokenIn")
    token_out: str = Field(alias="tokenOut")
    amount_in: Number = Field(validation_alias=AliasChoices("amountIn", "amount"))

    @field_validator("token_in", "token_out")
    @classmethod
    def _token_is_known(cls, value: str) -> str:
        if find_token(value) is None:
            raise PydanticCustomError("token_unknown", "is no symbol or mint of the token registry")
        return value

    @field_validator("token_out")
    @classmethod
    def _pair_has_a_market(cls, value: str, info: ValidationInfo) -> str:
        token_in, token_out = find_token(info.data.get("token_in", "")), find_token(value)
        if token_in is None or token_out is None:
            return value
        if token_in == token_out:
            raise PydanticCustomError("token_same", "must differ from tokenIn")
        if find_pair(token_in, token_out) is None:
            raise PydanticCustomError("pair_unsupported", "one of the two tokens must be USDC, USDT or SOL")
        return value

    @field_validator("amount_in")
    @classmethod
    def _amount_is_tradable(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        if value <= 0:
            raise PydanticCustomError("amount_not_positive", "must be greater than 0")
        token = find_token(info.data.get("token_in", ""))
        if token is None:
            return value
        try:
            base_units = to_base_units(value, token.decimals)
        except ValueError:
            raise PydanticCustomError(
                "amount_too_precise",
                "has more than the {decimals} decimals of {symbol}",
                {"decimals": token.decimals, "symbol": token.symbol},
            ) from None
        if base_units > MAX_BASE_UNITS:
            raise PydanticCustomError("amount_too_large", "must be below 2^64 base units")
        return value

    @property
    def tokens(self) -> tuple[Token, Token, Pair]:
        """What is paid, what is got, and their market."""
        token_in, token_out = find_token(self.token_in), find_token(self.token_out)
        pair = find_pair(token_in, token_out) if token_in and token_out else None
        if token_in is None or token_out is None or pair is None:
            raise LookupError("validated tokens have a market")
        return token_in, token_out, pair

    @property
    def amount_in_base(self) -> int:
        return to_base_units(self.amount_in, self.tokens[0].decimals)


class OrderModel(SwapModel):
    """The wire form of an order."""

    type: OrderType = Field(OrderType.MARKET, strict=False)
    user_id: UserId = Field(ANONYMOUS, alias="userId")
    side: Side | None = Field(None, strict=False)
    slippage: Number | None = None
    slippage_bps: int | None = Field(None, alias="slippageBps", ge=0, le=5000)
    priority: Priority = Field(Priority.NORMAL, strict=False)
    client_order_id: str | None = Field(None, alias="clientOrderId", min_length=1, max_length=255)
    simulate: str | None = Field(None, max_length=64)

    @field_validator("type")
    @classmethod
    def _type_is_offered(cls, value: OrderType) -> OrderType:
        if value is not OrderType.MARKET:
            raise PydanticCustomError("type_unsupported", "only market orders are taken so far")
        return value

    @field_validator("client_order_id")
    @classmethod
    def _client_order_id_is_text(cls, value: str | None) -> str | None:
        if value is not None and not value.isprintable():
            raise PydanticCustomError("not_printable", "must not hold control characters")
        return value

    @field_validator("side")
    @classmethod
    def _side_fits_the_pair(cls, value: Side | None, info: ValidationInfo) -> Side | None:
        token_in, token_out = find_token(info.data.get("token_in", "")), find_token(info.data.get("token_out", ""))
        pair = find_pair(token_in, token_out) if token_in and token_out else None
        if value and pair and token_in and value is not side_of(pair, token_in):
            raise PydanticCustomError(
                "side_contradicts", "paying with {symbol} is a {side}", _side_context(pair.name, token_in, value)
            )
        return value

    @field_validator("slippage")
    @classmethod
    def _slippage_is_sane(cls, value: Decimal | None) -> Decimal | None:
        if value is not None and not 0 <= value <= 50:
            raise PydanticCustomError("slippage_out_of_range", "must be from 0 to 50 percent")
        try:
            _basis_points(value or Decimal(0))
        except ValueError:
            raise PydanticCustomError(
                "slippage_too_precise", "must be in whole basis points (0.01 percent)"
            ) from None
        return value

    @field_validator("slippage_bps")
    @classmethod
    def _slippages_agree(cls, value: int | None, info: ValidationInfo) -> int | None:
        percent = info.data.get("slippage")
        if value is not None and percent is not None and _basis_points(percent) != value:
            raise PydanticCustomError("slippage_contradicts", "contradicts slippage; give one of the two")
        return value

    @field_validator("simulate")
    @classmethod
    def _fault_is_known(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        if not (info.context or {}).get("simulation"):
            raise PydanticCustomError("simulate_refused", "this deployment does not allow simulated faults")
        try:
            Fault.parse(value)
        except ValueError as error:
            raise PydanticCustomError("simulate_unknown", "{reason}", {"reason": str(error)}) from None
        return value

    def spec(self) -> OrderSpec:
        """The order in the engine's terms."""
        token_in, token_out, pair = self.tokens
        bps = self.slippage_bps
        if bps is None:
            bps = _DEFAULT_SLIPPAGE_BPS if self.slippage is None else _basis_points(self.slippage)
        return OrderSpec(
            user_id=self.user_id,
            type=self.type,
            side=side_of(pair, token_in),
            token_in=token_in,
            token_out=token_out,
            amount_in=self.amount_in_base,
            slippage_bps=bps,
            priority=self.priority,
            client_order_id=self.client_order_id,
            simulate=self.simulate,
        )


def read_order(body: Mapping[str, Any], *, simulation: bool) -> OrderSpec:
    """The order of a request body.

    :raises InvalidOrderError: naming every bad field.
    """
    return validated(OrderModel, body, simulation=simulation).spec()


def _side_context(pair: str, token_in: Token, value: Side) -> dict[str, Any]:
    other = Side.SELL if value is Side.BUY else Side.BUY
    return {"symbol": token_in.symbol, "side": f"{other.value} on {pair}"}


def _basis_points(percent: Decimal) -> int:
    """:raises ValueError: if it is not a whole number of them."""
    return to_base_units(percent, 2)
