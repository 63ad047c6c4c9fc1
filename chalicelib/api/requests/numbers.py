"""Whole numbers of queries and messages. As text they are digits alone: no sign, no space, no underscore."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from chalicelib.api.codes import FieldCode
from chalicelib.api.errors import bad_field

#: More than any order has events.
MAX_SEQ = 10_000
#: Longer than every bound. Python refuses to convert text of thousands of digits.
_MAX_DIGITS = 10


#: The message for what is not a whole number, also for a JSON number with a point, as in ``5.0``.
_NOT_DIGITS = "must be a whole number, written in digits"


def _digits(value: Any) -> int:
    """The whole number that a JSON number or a text writes."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise bad_field(FieldCode.INT_TYPE, _NOT_DIGITS)
    if not (value.isascii() and value.isdigit()):
        raise bad_field(FieldCode.INT_PARSING, _NOT_DIGITS)
    return int(value.lstrip("0")[:_MAX_DIGITS] or "0")


Digits = Annotated[int, BeforeValidator(_digits)]
#: The position in an order's events; 0 is before the first.
Seq = Annotated[Digits, Field(ge=0, le=MAX_SEQ)]
