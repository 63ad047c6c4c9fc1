"""JSON whose numbers stay exact."""

import json
from decimal import Decimal
from typing import Any

from orderengine.errors import InvalidArgument


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")


def loads(text: str | bytes) -> Any:
    """Parse JSON; every fraction becomes a ``Decimal``.

    :raises ValueError: if it is not JSON, or not UTF-8.
    """
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    except ArithmeticError:
        raise ValueError("the JSON has a number beyond all bounds") from None


def dumps(value: Any) -> bytes:
    """JSON as the client sends it; a ``Decimal`` is sent as text.

    :raises InvalidArgument: if a value has no JSON.
    """
    try:
        return json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_decimal_text
        ).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"the request cannot be written as JSON: {error}") from None


def _decimal_text(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON")
