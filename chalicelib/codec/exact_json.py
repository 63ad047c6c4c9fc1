"""JSON in which a number is a ``Decimal`` or an integer, and never passes through a float."""

from decimal import Decimal, InvalidOperation
from typing import Any

import simplejson
from simplejson.raw_json import RawJSON

from chalicelib.domain.money import plain


def dumps(value: Any) -> str:
    """Compact JSON; a ``Decimal`` becomes a JSON number written out in full (1E-9 is 0.000000001)."""
    text: str = simplejson.dumps(
        value, default=_default, use_decimal=False, separators=(",", ":"), allow_nan=False, ensure_ascii=False
    )
    return text


def loads(text: str) -> Any:
    """Parse JSON, numbers with a fraction or an exponent as ``Decimal``.

    :raises ValueError: if the text is not JSON, nests too deeply, or holds ``NaN`` or ``Infinity``.
    """
    try:
        return simplejson.loads(text, use_decimal=True, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except InvalidOperation as error:
        raise ValueError("a number out of range") from error


def _default(value: Any) -> Any:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is not JSON")
        return RawJSON(format(plain(value), "f"))
    raise TypeError(f"{value!r} has no JSON form")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
