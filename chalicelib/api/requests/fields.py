"""The kinds of fields that the wire knows, and how bad ones are reported."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from chalicelib.domain.errors import FieldError, InvalidOrderError
from chalicelib.simulation.venues import VENUE_NAMES

_Model = TypeVar("_Model", bound=BaseModel)

#: Longer numbers than any valid one are refused before they are computed with.
_MAX_NUMBER_LENGTH = 64
#: What ``Decimal`` takes between or around digits, and no number on the wire has.
_NO_DIGITS = frozenset("_ \t\n\r\v\f")
_USER_ID_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:@-")
_MAX_USER_ID_LENGTH = 64


class WireModel(BaseModel):
    """Nothing is guessed: no unknown field, no number in place of a string or the other way round."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _number(value: object) -> Decimal:
    """A JSON number or a decimal string; nothing else passes for a number."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise PydanticCustomError("number_type", "must be a number or a decimal string")
    text = str(value)
    try:
        number = (
            Decimal(text)
            if len(text) <= _MAX_NUMBER_LENGTH and text.isascii() and not _NO_DIGITS & set(text)
            else None
        )
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise PydanticCustomError("number_invalid", "must be a finite decimal number")
    # An exponent like 1e999999 would be expanded by the arithmetic that follows.
    if abs(number.adjusted()) > _MAX_NUMBER_LENGTH:
        raise PydanticCustomError("number_out_of_range", "is out of range")
    return number


def _user_id(value: object) -> str:
    if (
        not isinstance(value, str)
        or not 1 <= len(value) <= _MAX_USER_ID_LENGTH
        or not _USER_ID_CHARACTERS.issuperset(value)
    ):
        raise PydanticCustomError("user_id_invalid", "must be 1 to 64 characters of A-Z a-z 0-9 _ . : @ -")
    return value


def _order_id(value: object) -> str:
    try:
        canonical = str(UUID(value)) if isinstance(value, str) else None
    except ValueError:
        canonical = None
    if canonical is None or canonical != str(value).lower():
        raise PydanticCustomError("order_id_invalid", "must be a UUID")
    return canonical


def _venue(value: str) -> str:
    if value not in VENUE_NAMES:
        raise PydanticCustomError("venue_unknown", "must be one of {venues}", {"venues": ", ".join(VENUE_NAMES)})
    return value


Number = Annotated[Decimal, BeforeValidator(_number)]
UserId = Annotated[str, BeforeValidator(_user_id)]
OrderId = Annotated[str, BeforeValidator(_order_id)]
VenueName = Annotated[str, AfterValidator(_venue)]


def validated(model: type[_Model], body: Mapping[str, Any], **context: Any) -> _Model:
    """:raises InvalidOrderError: naming every bad field."""
    try:
        return model.model_validate(dict(body), context=context)
    except ValidationError as error:
        raise InvalidOrderError(
            [
                FieldError(
                    field=_field(model, found),
                    code=_CODES.get(found["type"], found["type"]).upper(),
                    message=_MESSAGES.get(found["type"], found["msg"]),
                )
                for found in error.errors(include_url=False, include_input=False, include_context=False)
            ]
        ) from None


def _field(model: type[BaseModel], found: ErrorDetails) -> str:
    """The field's name on the wire. One that is absent, and should not be, is known to pydantic by its own name."""
    first, *rest = found["loc"] or ("",)
    known = model.model_fields.get(str(first)) if found["type"] != "extra_forbidden" else None
    alias = known and (known.validation_alias or known.alias)
    name = alias.choices[0] if isinstance(alias, AliasChoices) else alias
    return ".".join(map(str, (name or first, *rest)))


_CODES = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "enum": "not_allowed",
    "model_type": "object_type",
}
_MESSAGES = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "model_type": "must be an object",
}
