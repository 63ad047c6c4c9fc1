"""The field types of requests, and how bad fields are reported."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import ErrorDetails

from chalicelib.api.codes import FieldCode
from chalicelib.api.errors import FieldError, InvalidOrderError, bad_field

_Model = TypeVar("_Model", bound=BaseModel)

#: Numbers longer than any valid one are refused before the engine computes with them.
_MAX_NUMBER_LENGTH = 64
#: Characters that ``Decimal`` accepts between or around digits, and that no number in a request may have.
_NOT_IN_NUMBERS = frozenset("_ \t\n\r\v\f")
_USER_ID_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:@-")
_MAX_USER_ID_LENGTH = 64


class RequestModel(BaseModel):
    """A strict request: no unknown field, and no number in place of a string or the other way round."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _number(value: object) -> Decimal:
    """A JSON number or a decimal string as ``Decimal``; any other type is refused."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise bad_field(FieldCode.NUMBER_TYPE, "must be a number or a decimal string")
    text = str(value)
    try:
        number = (
            Decimal(text)
            if len(text) <= _MAX_NUMBER_LENGTH and text.isascii() and not _NOT_IN_NUMBERS & set(text)
            else None
        )
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise bad_field(FieldCode.NUMBER_INVALID, "must be a finite decimal number")
    # The arithmetic that follows would expand an exponent like 1e999999.
    if abs(number.adjusted()) > _MAX_NUMBER_LENGTH:
        raise bad_field(FieldCode.NUMBER_OUT_OF_RANGE, "is out of range")
    return number


def _user_id(value: object) -> str:
    if (
        not isinstance(value, str)
        or not 1 <= len(value) <= _MAX_USER_ID_LENGTH
        or not _USER_ID_CHARACTERS.issuperset(value)
    ):
        raise bad_field(FieldCode.USER_ID_INVALID, "must be 1 to 64 characters of A-Z a-z 0-9 _ . : @ -")
    return value


def _order_id(value: object) -> str:
    try:
        canonical = str(UUID(value)) if isinstance(value, str) else None
    except ValueError:
        canonical = None
    if canonical is None or canonical != str(value).lower():
        raise bad_field(FieldCode.ORDER_ID_INVALID, "must be a UUID")
    return canonical


def _venue(value: str, info: ValidationInfo) -> str:
    venues: Sequence[str] = (info.context or {})["venues"]
    if value not in venues:
        raise bad_field(FieldCode.VENUE_UNKNOWN, f"must be one of {', '.join(venues)}")
    return value


Number = Annotated[Decimal, BeforeValidator(_number)]
UserId = Annotated[str, BeforeValidator(_user_id)]
OrderId = Annotated[str, BeforeValidator(_order_id)]
VenueName = Annotated[str, AfterValidator(_venue)]


def printable(value: str | None) -> str | None:
    """A field validator: the text without control characters, if there is one."""
    if value is not None and not value.isprintable():
        raise bad_field(FieldCode.NOT_PRINTABLE, "must not hold control characters")
    return value


def validated(model: type[_Model], body: Mapping[str, Any], **context: Any) -> _Model:
    """:raises InvalidOrderError: naming every bad field."""
    try:
        return model.model_validate(dict(body), context=context)
    except ValidationError as error:
        raise InvalidOrderError(
            [
                FieldError(
                    field=_field(model, found),
                    code=_code(found["type"]),
                    message=_MESSAGES.get(found["type"], found["msg"]),
                )
                for found in error.errors(include_url=False, include_input=False, include_context=False)
            ]
        ) from None


def _field(model: type[BaseModel], found: ErrorDetails) -> str:
    """The field's name on the wire. Pydantic reports a missing field by its Python name."""
    first, *rest = found["loc"] or ("",)
    known = model.model_fields.get(str(first)) if found["type"] != "extra_forbidden" else None
    alias = known and (known.validation_alias or known.alias)
    name = alias.choices[0] if isinstance(alias, AliasChoices) else alias
    return ".".join(map(str, (name or first, *rest)))


def _code(kind: str) -> FieldCode:
    """The contract's code of a pydantic error type."""
    try:
        return _CODES.get(kind) or FieldCode(kind.upper())
    except ValueError:
        return FieldCode.INVALID


_CODES = {
    "missing": FieldCode.REQUIRED,
    "extra_forbidden": FieldCode.UNKNOWN_FIELD,
    "enum": FieldCode.NOT_ALLOWED,
    "model_type": FieldCode.OBJECT_TYPE,
}
_MESSAGES = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "model_type": "must be an object",
}
