"""The field types of requests, and how bad fields are reported."""

import re
from collections.abc import Mapping, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation, Overflow, Underflow
from functools import cache
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
    model_validator,
)
from pydantic_core import ErrorDetails

from chalicelib.api.codes import FieldCode
from chalicelib.api.errors import FieldError, InvalidOrderError, bad_field
from chalicelib.domain.identity import is_user_id

_Model = TypeVar("_Model", bound=BaseModel)

#: ``Decimal`` accepts more: other digits, spaces around them and underscores between them.
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
#: Holds every digit of a number that a body can have.
_WIDE = Context(prec=20_000, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[InvalidOperation, Overflow, Underflow])
#: Numbers outside of 10^-64 to 10^64 are refused before the engine computes with them.
_MAX_EXPONENT = 64
#: The control characters of Unicode (category Cc).
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class RequestModel(BaseModel):
    """A strict request: no unknown field, and no number in place of a string or the other way round."""

    # A validator is built when its model first reads a request: most functions read few kinds of requests, or none.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_null(cls, data: Any) -> Any:
        """A known field that is null counts as absent."""
        if not isinstance(data, Mapping):
            return data
        return {name: value for name, value in data.items() if value is not None or name not in _names(cls)}


@cache
def _names(model: type[BaseModel]) -> frozenset[str]:
    """The names of the model's fields on the wire."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        alias = field.validation_alias or name
        found.update(map(str, alias.choices) if isinstance(alias, AliasChoices) else [str(alias)])
    return frozenset(found)


def _number(value: object) -> Decimal:
    """A JSON number or a decimal string as ``Decimal``, without insignificant zeros; any other type is refused."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise bad_field(FieldCode.NUMBER_TYPE, "must be a number or a decimal string")
    text = str(value)
    if not _DECIMAL.fullmatch(text):
        raise bad_field(FieldCode.NUMBER_INVALID, "must be a finite decimal number")
    try:
        number = _WIDE.create_decimal(text).normalize(_WIDE)
    except (InvalidOperation, Overflow, Underflow):
        number = None
    # The arithmetic that follows would expand an exponent like 1e999999.
    if number is None or abs(number.adjusted()) > _MAX_EXPONENT:
        raise bad_field(FieldCode.NUMBER_OUT_OF_RANGE, "is out of range")
    return number


def _whole_number(value: object) -> int:
    number = _number(value)
    if number != number.to_integral_value():
        raise bad_field(FieldCode.INT_FROM_FLOAT, "must be a whole number")
    return int(number)


def _user_id(value: object) -> str:
    if not isinstance(value, str) or not is_user_id(value):
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
WholeNumber = Annotated[int, BeforeValidator(_whole_number)]
UserId = Annotated[str, BeforeValidator(_user_id)]
OrderId = Annotated[str, BeforeValidator(_order_id)]
VenueName = Annotated[str, AfterValidator(_venue)]


def has_controls(text: str) -> bool:
    """True for text with a control character. Format characters, as in an emoji of several parts, are none."""
    return _CONTROLS.search(text) is not None


def has_replacement(text: str) -> bool:
    """True for text with U+FFFD, by which a gateway replaces bytes that are not UTF-8, so that texts become equal."""
    return "\ufffd" in text


def printable(value: str | None) -> str | None:
    """A field validator: the text without control characters, if there is one."""
    if value is not None and has_controls(value):
        raise bad_field(FieldCode.NOT_PRINTABLE, "must not hold control characters")
    return value


def validated(model: type[_Model], body: Mapping[str, Any], **context: Any) -> _Model:
    """:raises InvalidOrderError: naming every bad field."""
    try:
        return model.model_validate(dict(body), context=context)
    except ValidationError as error:
        raise InvalidOrderError(
            [
                FieldError(field=_field(model, found), code=_code(found["type"]), message=_message(found))
                for found in error.errors(include_url=False, include_input=False)
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


def _message(found: ErrorDetails) -> str:
    """The contract's words for an error of pydantic's own; a validator's error has words already."""
    words = _MESSAGES.get(found["type"])
    return words.format_map(found.get("ctx", {})) if words else found["msg"]


_CODES = {
    "missing": FieldCode.REQUIRED,
    "extra_forbidden": FieldCode.UNKNOWN_FIELD,
    "enum": FieldCode.NOT_ALLOWED,
    "model_type": FieldCode.OBJECT_TYPE,
}
#: The placeholders are the names of the bounds in pydantic's errors.
_MESSAGES = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "model_type": "must be an object",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_type": "must be a string",
    "string_too_short": "must be {min_length} or more characters long",
    "string_too_long": "must be at most {max_length} characters long",
    "string_unicode": "must be UTF-8 text without U+FFFD",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
}
