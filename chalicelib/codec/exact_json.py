"""JSON in which a number is a ``Decimal`` or an integer, and never passes through a float."""

from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any

import simplejson
from simplejson.raw_json import RawJSON

from chalicelib.domain.money import written


class NumberRangeError(ValueError):
    """A number has an exponent that ``Decimal`` cannot hold."""


def dumps(value: Any) -> str:
    """Compact JSON; a ``Decimal`` becomes a JSON number written out in full (1E-9 is 0.000000001)."""
    text: str = _ENCODER.encode(value)
    return text


def loads(text: str) -> Any:
    """Parse JSON, numbers with a fraction or an exponent as ``Decimal``.

    :raises ValueError: if the text is not JSON, nests too deeply, or holds ``NaN`` or ``Infinity``.
    """
    return _loads(text, use_decimal=True)


def loads_with_repetitions(text: str) -> tuple[Any, list[str]]:
    """Parse JSON as ``loads`` does, and name the members that an object has more than once.

    :raises ValueError: as ``loads`` does.
    """
    repeated: list[str] = []

    def build(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(members)
        if len(found) < len(members):
            repeated.extend(name for name, number in Counter(name for name, _ in members).items() if number > 1)
        return found

    return _loads(text, object_pairs_hook=build, use_decimal=True, parse_int=_integer), repeated


def _loads(text: str, **options: Any) -> Any:
    try:
        return simplejson.loads(text, parse_constant=_refuse_constant, **options)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except InvalidOperation as error:
        raise NumberRangeError from error


def _integer(text: str) -> int | Decimal:
    try:
        return int(text)
    except ValueError:
        # Python refuses to convert text of thousands of digits.
        return Decimal(text)


def _default(value: Any) -> Any:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is not JSON")
        return RawJSON(written(value))
    raise TypeError(f"{value!r} has no JSON form")


#: Built once: ``simplejson.dumps`` builds one for every call.
_ENCODER = simplejson.JSONEncoder(
    default=_default, use_decimal=False, separators=(",", ":"), allow_nan=False, ensure_ascii=False
)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
