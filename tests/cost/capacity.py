"""What DynamoDB bills for an item, by the rules of its documentation.

- Sizes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
- Units: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
- Indexes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html

Emulators report capacity by rules of their own, so this module computes it from the items before and after a write.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

Item = Mapping[str, Mapping[str, Any]]

#: What an item, and each entry of an index, occupies beside its attributes.
STORED_OVERHEAD_BYTES = 100
_WRITE_BYTES = 1024
_READ_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index. ``attributes`` are those that it projects; ``None`` projects all."""

    name: str
    keys: tuple[str, ...]
    attributes: frozenset[str] | None

    def entry(self, item: Item | None) -> Item | None:
        """The entry of an item; ``None`` if the item lacks a key of the index."""
        if not item or not all(key in item for key in self.keys):
            return None
        return item if self.attributes is None else {name: item[name] for name in item if name in self.attributes}

    def write_units(self, before: Item | None, after: Item | None) -> list[tuple[str, int]]:
        """The units of a change of the item, each with the partition that they fall on.

        A new, removed or changed entry is one write; an entry whose key changes is two.
        """
        old, new = self.entry(before), self.entry(after)
        if old == new:
            return []
        if old and new and all(old[key] == new[key] for key in self.keys):
            return [(self._partition(new), write_units(max(item_bytes(old), item_bytes(new))))]
        return [(self._partition(entry), write_units(item_bytes(entry))) for entry in (old, new) if entry]

    def _partition(self, entry: Item) -> str:
        return str(entry[self.keys[0]]["S"])


def indexes_of(properties: Mapping[str, Any]) -> list[Index]:
    """The indexes of a table of the template."""
    table_keys = {part["AttributeName"] for part in properties["KeySchema"]}
    found = []
    for index in properties.get("GlobalSecondaryIndexes", ()):
        keys = tuple(part["AttributeName"] for part in index["KeySchema"])
        projection = index["Projection"]
        named = None
        if projection["ProjectionType"] != "ALL":
            named = frozenset({*keys, *table_keys, *projection.get("NonKeyAttributes", ())})
        found.append(Index(index["IndexName"], keys, named))
    return found


def write_units(size: int) -> int:
    """The units of a standard write."""
    return max(1, ceil(size / _WRITE_BYTES))


def read_units(size: int, *, consistent: bool) -> float:
    """The units of a read of so many bytes: an eventually consistent read costs half."""
    whole = max(1, ceil(size / _READ_BYTES))
    return float(whole) if consistent else whole / 2


def stored_bytes(item: Item, indexes: list[Index]) -> int:
    """The billed storage of an item with its entries in the indexes."""
    entries = [entry for index in indexes if (entry := index.entry(item))]
    return sum(item_bytes(one) + STORED_OVERHEAD_BYTES for one in [item, *entries])


def item_bytes(item: Item) -> int:
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(typed: Mapping[str, Any]) -> int:
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return _number_bytes(value)
        case "B":
            return len(value)
        case "BOOL" | "NULL":
            return 1
        case "SS":
            return sum(len(one.encode()) for one in value)
        case "NS":
            return sum(map(_number_bytes, value))
        case "L":
            return 3 + sum(1 + _value_bytes(one) for one in value)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(one) for name, one in value.items())
    raise ValueError(f"an attribute of type {kind}")


def _number_bytes(text: str) -> int:
    """A byte for every two significant digits, and one more."""
    digits = text.lstrip("-").replace(".", "").strip("0")
    return ceil(len(digits) / 2) + 1
