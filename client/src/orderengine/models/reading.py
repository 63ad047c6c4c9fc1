"""Reading of JSON into frozen dataclasses: exact numbers, aware times, and room for fields that come later.

A class names its fields in snake case and the contract in camel case, unless the metadata ``wire`` says otherwise. A
field that the class does not know stays in ``raw``; a value that an enumeration does not know stays as it is. A field
that is null counts as missing; ``X | None`` says that it may be.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, ClassVar, Self, TypeVar, Union, get_args, get_origin, get_type_hints

from orderengine.amounts import shown
from orderengine.times import read_time

_Reader = Callable[[Any], Any]
T = TypeVar("T")


class Unreadable(Exception):
    """A value that the contract does not allow, with the path to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """An answer of the engine or a part of one. ``raw`` is the JSON it came from, with numbers as ``Decimal``."""

    raw: Mapping[str, Any] = field(repr=False, compare=False)

    #: Marks the field that is named differently in the contract.
    WIRE: ClassVar[str] = "wire"

    @classmethod
    def read(cls, value: Any) -> Self:
        """:raises Unreadable: if a field that is needed is missing, or a field has a wrong type."""
        if not isinstance(value, dict):
            raise Unreadable(f"{cls.__name__} is not an object")
        found: dict[str, Any] = {}
        for name, wire, reader, absent in _plan(cls):  # type: ignore[arg-type]  # a class is hashable
            if value.get(wire) is None:
                if absent is None:
                    raise Unreadable(f"{cls.__name__} lacks {wire}")
                found[name] = absent()
                continue
            try:
                found[name] = reader(value[wire])
            except (TypeError, ValueError, ArithmeticError):
                raise Unreadable(f"{wire} of {cls.__name__} is {shown(value[wire])}") from None
        return cls(raw=value, **found)


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


@cache
def _plan(cls: type[Model]) -> list[tuple[str, str, _Reader, Callable[[], Any] | None]]:
    """The fields of a class: name, name in the contract, reader, and what makes up for one that is missing."""
    hints = get_type_hints(cls)
    found = []
    for one in fields(cls):
        if one.name == "raw":
            continue
        wire, hint = one.metadata.get(Model.WIRE, camel(one.name)), hints[one.name]
        found.append((one.name, wire, _reader(hint), _absent(one, hint)))
    return found


def _absent(one: Field[Any], hint: Any) -> Callable[[], Any] | None:
    if one.default_factory is not MISSING:
        return one.default_factory
    if one.default is not MISSING:
        return lambda: one.default
    return (lambda: None) if _may_be_null(hint) else None


def _may_be_null(hint: Any) -> bool:
    return hint is Any or NoneType in get_args(hint)


def field_of(kind: type[T], fields: Mapping[str, Any], name: str) -> T | None:
    """The value of a field; ``None`` if it is missing or of another kind."""
    try:
        found: T = _reader(kind)(fields[name])
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    return found


def _reader(hint: Any) -> _Reader:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        [inner] = [one for one in arguments if one is not NoneType]
        read = _reader(inner)
        return lambda value: None if value is None else read(value)
    if origin is tuple:
        read = _reader(arguments[0])
        return lambda value: tuple(map(read, _of(list, value)))
    if origin in (dict, Mapping):
        read = _reader(arguments[1])
        may_be_null = _may_be_null(arguments[1])
        return lambda value: {
            name: read(one) for name, one in _of(dict, value).items() if may_be_null or one is not None
        }
    if isinstance(hint, type) and issubclass(hint, Model):
        return hint.read
    return _SCALARS[hint]


def _of(kind: type, value: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError
    return value


def _whole(value: Any) -> int:
    return int(_of(int, value))


def _number(value: Any) -> Decimal:
    """A JSON number, or the integer text of an amount in base units."""
    if isinstance(value, str) and not (value.isascii() and value.isdecimal()):
        raise ValueError
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise TypeError
    return Decimal(value)


_SCALARS: dict[Any, _Reader] = {
    str: lambda value: _of(str, value),
    int: _whole,
    bool: lambda value: _of(bool, value),
    Decimal: _number,
    datetime: lambda value: read_time(_of(str, value)),
    Any: lambda value: value,
}
