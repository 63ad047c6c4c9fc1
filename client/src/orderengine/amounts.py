"""Amounts and prices, which are exact on the way in and on the way out."""

import re
from decimal import Decimal
from typing import Any, TypeAlias

from orderengine.errors import FloatAmount, InvalidArgument

Amount: TypeAlias = Decimal | int | str

#: Text with more digits would fill the memory ("1e999999999") before the engine could refuse it.
_MAX_DIGITS = 100
#: ``Decimal`` reads more than this, such as "1_5" and digits of other scripts.
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def exact(name: str, value: Amount) -> str:
    """The decimal text of an amount, without an exponent.

    :raises FloatAmount: for a float.
    :raises InvalidArgument: for anything else that is not a finite decimal number.
    """
    if isinstance(value, float):
        raise FloatAmount(name, value)
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise InvalidArgument(f"{name} is {shown(value)}, and not a Decimal, an int or decimal text")
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        raise InvalidArgument(f"{name} is {shown(value)}, which is not a decimal number")
    try:
        number = Decimal(value)
    except ArithmeticError:
        raise InvalidArgument(f"{name} is {shown(value)}, which is not a decimal number") from None
    if not number.is_finite() or abs(number.adjusted()) > _MAX_DIGITS:
        raise InvalidArgument(f"{name} is {shown(value)}, which is not a finite decimal number of a sensible size")
    return format(number, "f")


def shown(value: Any) -> str:
    """A value as a message quotes it: short, even where its own text is long or cannot be had."""
    try:
        text = repr(value)
    except Exception:
        # An int of more than 4300 digits has no text.
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:80]}..."
