"""The swap that orders and quotes have in common: which token for which, and how much."""

from decimal import Decimal

from pydantic import AliasChoices, Field, ValidationInfo, field_validator

from chalicelib.api.codes import FieldCode
from chalicelib.api.errors import bad_field
from chalicelib.api.requests.fields import Number, RequestModel
from chalicelib.domain.money import MAX_BASE_UNITS, to_base_units
from chalicelib.domain.tokens import Pair, Token, any_token, find_pair, find_token


class SwapModel(RequestModel):
    """Validators compare later fields with earlier ones. A ``launching`` context allows an unknown ``tokenOut``."""

    token_in: str = Field(alias="tokenIn")
    token_out: str = Field(alias="tokenOut")
    amount_in: Number = Field(validation_alias=AliasChoices("amountIn", "amount"))

    @field_validator("token_in", "token_out")
    @classmethod
    def _check_token(cls, value: str, info: ValidationInfo) -> str:
        if info.field_name == "token_out" and (info.context or {}).get("launching"):
            if any_token(value) is None:
                raise bad_field(FieldCode.TOKEN_UNKNOWN, "is neither a known token nor a mint address")
        elif find_token(value) is None:
            raise bad_field(FieldCode.TOKEN_UNKNOWN, "is not a known symbol or mint")
        return value

    @field_validator("token_out")
    @classmethod
    def _check_pair(cls, value: str, info: ValidationInfo) -> str:
        token_in, token_out = find_token(info.data.get("token_in", "")), any_token(value)
        if token_in is None or token_out is None:
            return value
        if token_in == token_out:
            raise bad_field(FieldCode.TOKEN_SAME, "must differ from tokenIn")
        if find_pair(token_in, token_out) is None:
            raise bad_field(FieldCode.PAIR_UNSUPPORTED, "one of the two tokens must be USDC, USDT or SOL")
        return value

    @field_validator("amount_in")
    @classmethod
    def _check_amount(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        if value <= 0:
            raise bad_field(FieldCode.AMOUNT_NOT_POSITIVE, "must be greater than 0")
        token = find_token(info.data.get("token_in", ""))
        if token is None:
            return value
        try:
            base_units = to_base_units(value, token.decimals)
        except ValueError:
            message = f"has more than the {token.decimals} decimals of {token.symbol}"
            raise bad_field(FieldCode.AMOUNT_TOO_PRECISE, message) from None
        if base_units > MAX_BASE_UNITS:
            raise bad_field(FieldCode.AMOUNT_TOO_LARGE, "must be below 2^64 base units")
        return value

    @property
    def tokens(self) -> tuple[Token, Token, Pair]:
        """The token paid, the token received, and their market."""
        token_in, token_out = find_token(self.token_in), any_token(self.token_out)
        pair = find_pair(token_in, token_out) if token_in and token_out else None
        if token_in is None or token_out is None or pair is None:
            raise LookupError("validated tokens have a market")
        return token_in, token_out, pair

    @property
    def amount_in_base(self) -> int:
        return to_base_units(self.amount_in, self.tokens[0].decimals)
