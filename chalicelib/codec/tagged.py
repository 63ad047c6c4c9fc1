"""A union of dataclasses as JSON: the name of the class and its fields. pydantic reads and writes the fields."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


class TaggedUnion(Generic[T]):
    """Adapters are built when a class is first used: each costs a cold start about a millisecond."""

    def __init__(self, kinds: Mapping[str, type[T]]) -> None:
        self._kinds = kinds
        self._names = {kind: name for name, kind in kinds.items()}
        self._adapters: dict[str, TypeAdapter[Any]] = {}

    def name_of(self, value: T) -> str:
        return self._names[type(value)]

    def to_json(self, value: T) -> str:
        """The fields as a JSON object, without those that are ``None``. Decimals and times are strings."""
        return self._adapter(self.name_of(value)).dump_json(value, exclude_none=True).decode()

    def from_data(self, name: str, data: object) -> T:
        """:raises ValueError, LookupError: if the name or the data is not of the union."""
        value: T = self._adapter(name).validate_python(data)
        return value

    def _adapter(self, name: str) -> TypeAdapter[Any]:
        if name not in self._adapters:
            self._adapters[name] = TypeAdapter(self._kinds[name])
        return self._adapters[name]
