"""Which token is to be swapped for which, and how much: what orders and quotes have in common."""

from decimal import Decimal

from pydantic import AliasChoices, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from chalicelib.api.requests.fields import Number, WireModel
from chalicelib.domain.money import MAX_BASE_UNITS, to_base_units
from chalicelib.domain.tokens import Pair, Token, any_token, find_pair, find_token


class SwapModel(WireModel):
    """Later fields are checked against earlier ones. In a ``launching`` context what is bought may be unknown yet."""

    token_in: str = Field(alias="tokenIn")
    token_out: str = Field(alias="tokenOut")
    amount_in: Number = Field(validation_alias=AliasChoices("amountIn", "amount"))

    @field_validator("token_in", "token_out")
    @classmethod
    def _token_is_known(cls, value: str, info: ValidationInfo) -> str:
        if info.field_name == "token_out" and (info.context or {}).get("launching"):
            if any_token(value) is None:
                raise PydanticCustomError("token_unknown", "is no token of the registry and no mint address")
        elif find_token(value) is None:
            raise PydanticCustomError("token_unknown", "is no symbol or mint of the token registry")
        return value

    @field_validator("token_out")
    @classmethod
    def _pair_has_a_market(cls, value: str, info: ValidationInfo) -> str:
        token_in, token_out = find_token(info.data.get("token_in", "")), any_token(value)
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
        token_in, token_out = find_token(self.token_in), any_token(self.token_out)
        pair = find_pair(token_in, token_out) if token_in and token_out else None
        if token_in is None or token_out is None or pair is None:
            raise LookupError("validated tokens have a market")
        return token_in, token_out, pair

    @property
    def amount_in_base(self) -> int:
        return to_base_units(self.amount_in, self.tokens[0].decimals)
