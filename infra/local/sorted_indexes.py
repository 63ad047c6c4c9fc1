"""Sorted secondary indexes for the emulator's DynamoDB, which sorts and filters a whole partition for every query.

DynamoDB keeps an index sorted and reads only the rows of the key condition, so that the cost of a query depends on
its result and not on the rows beside it. This module keeps each partition sorted too, and gives the emulator only the
rows that a query of the usual form can return. The emulator still filters and limits those rows itself, so that its
answers stay its own. The emulator's process imports this file, which must therefore not import this package.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from functools import partial
from threading import local
from typing import Any

Key = tuple[Any, Any]

#: The range conditions that this module handles, by the names of the emulator's tokens.
_RANGES = {"LT", "LE", "GT", "GE", "EQ"}
_HASH_ONLY = ["NAME_REF", "EQ", "VALUE_REF", "EOF"]
_AND = ("IDENT", "AND")


class Partition:
    """The rows of one index partition, sorted by a unique place: the range key, then the table's own key."""

    def __init__(self) -> None:
        self._sorted: list[tuple[tuple[Any, ...], Key]] = []
        self._places: dict[Key, tuple[Any, ...]] = {}

    def __len__(self) -> int:
        return len(self._sorted)

    def add(self, place: tuple[Any, ...], key: Key) -> None:
        self.remove(key)
        self._places[key] = place
        insort(self._sorted, (place, key))

    def remove(self, key: Key) -> None:
        place = self._places.pop(key, None)
        if place is not None:
            del self._sorted[bisect_left(self._sorted, (place, key))]

    def keys(self, start: int = 0, end: int | None = None) -> list[Key]:
        return [key for _, key in self._sorted[start:end]]

    def before(self, place: tuple[Any, ...]) -> int:
        """Return the number of rows before this place, which may be a prefix of a full place."""
        return bisect_left(self._sorted, place, key=lambda row: row[0][: len(place)])

    def until(self, place: tuple[Any, ...]) -> int:
        """Return the number of rows before this place or at it."""
        return bisect_right(self._sorted, place, key=lambda row: row[0][: len(place)])


class Index:
    """Replaces the emulator's dictionary from partition to keys."""

    def __init__(self, shown: Callable[[Partition], Iterable[Key]]) -> None:
        self._shown = shown
        self.partitions: dict[Any, Partition] = {}

    def get(self, partition: Any, default: Iterable[Key] = ()) -> Iterable[Key]:
        found = self.partitions.get(partition)
        return default if found is None else self._shown(found)


class SortedIndexes:
    """Replaces three functions of the emulator's DynamoDB module, ``dynamodb``."""

    #: The functions of that module that this class replaces, and the names that it uses.
    NEEDED = (
        *("_index_members", "_index_item", "_query"),
        *("_INDEX_MEMBERS", "_index_key_schemas", "_index_partition", "_index_order_keys", "_index_order_value"),
        "_tokenize",
    )

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb
        self._query = dynamodb._query
        self._asked = local()

    def install(self) -> None:
        self._dynamodb._index_members = self.members
        self._dynamodb._index_item = self.change
        self._dynamodb._query = self.query

    def query(self, request: dict[str, Any]) -> Any:
        self._asked.request = request
        try:
            return self._query(request)
        finally:
            self._asked.request = None

    def members(self, table: dict[str, Any]) -> dict[str, Index]:
        """Return a table's indexes. They replace the emulator's own, which it drops at need and never saves."""
        kept: dict[str, Index] | None = table.get(self._dynamodb._INDEX_MEMBERS)
        if kept is None:
            kept = {}
            for name, _, ranges in self._dynamodb._index_key_schemas(table):
                kept[name] = Index(partial(self._shown, table, ranges))
            table[self._dynamodb._INDEX_MEMBERS] = kept
            for base_pk, rows in table["items"].items():
                for base_sk, item in rows.items():
                    self.change(table, base_pk, base_sk, item, add=True)
        return kept

    def change(self, table: dict[str, Any], base_pk: Any, base_sk: Any, item: dict[str, Any], add: bool) -> None:
        """Add an item to the indexes of its table, or remove it."""
        kept = table.get(self._dynamodb._INDEX_MEMBERS)
        if kept is None:
            return
        for name, hashes, ranges in self._dynamodb._index_key_schemas(table):
            if name not in kept:
                table.pop(self._dynamodb._INDEX_MEMBERS, None)
                return
            at, partitions = self._dynamodb._index_partition(item, hashes, ranges), kept[name].partitions
            if at is None:
                continue
            if add:
                partitions.setdefault(at, Partition()).add(self._place(table, ranges, item), (base_pk, base_sk))
            elif at in partitions:
                partitions[at].remove((base_pk, base_sk))
                if not partitions[at]:
                    del partitions[at]

    def _place(self, table: dict[str, Any], ranges: list[str], item: dict[str, Any]) -> tuple[Any, ...]:
        order = self._dynamodb._index_order_keys(table, ranges)
        return tuple(self._dynamodb._index_order_value(item, name, kind) for name, kind in order)

    def _shown(self, table: dict[str, Any], ranges: list[str], rows: Partition) -> Iterable[Key]:
        request = getattr(self._asked, "request", None)
        bounds = self._bounds(table, ranges, rows, request) if request else None
        return rows.keys() if bounds is None else rows.keys(*bounds)

    def _bounds(
        self, table: dict[str, Any], ranges: list[str], rows: Partition, request: dict[str, Any]
    ) -> tuple[int, int] | None:
        """Return the range of rows that can answer a query, or ``None`` if the query has another form."""
        tokens = self._dynamodb._tokenize(request.get("KeyConditionExpression") or "")
        if tokens[0][0] == "LPAREN":
            tokens = [*tokens[1:-2], tokens[-1]]
        start, end = 0, len(rows)
        if [kind for kind, _ in tokens] != _HASH_ONLY:
            found = _range_condition(tokens, request.get("ExpressionAttributeNames") or {}, ranges)
            if found is None:
                return None
            operator, reference = found
            bound = {ranges[0]: request["ExpressionAttributeValues"][reference]}
            value = (self._place(table, ranges, bound)[0],)
            if operator in ("GE", "GT", "EQ"):
                start = rows.until(value) if operator == "GT" else rows.before(value)
            if operator in ("LE", "LT", "EQ"):
                end = rows.before(value) if operator == "LT" else rows.until(value)
        forward = request.get("ScanIndexForward", True)
        if cursor := request.get("ExclusiveStartKey"):
            place = self._place(table, ranges, cursor)
            start, end = (max(start, rows.until(place)), end) if forward else (start, min(end, rows.before(place)))
        # The emulator reads no row beyond the limit either.
        if limit := request.get("Limit"):
            start, end = (start, min(end, start + int(limit))) if forward else (max(start, end - int(limit)), end)
        return start, max(start, end)


def _range_condition(
    tokens: list[tuple[str, str]], names: dict[str, str], ranges: list[str]
) -> tuple[str, str] | None:
    """Return operator and value of ``#hash = :value AND #range <operator> :value`` as the SDKs write it."""
    kinds = [kind for kind, _ in tokens]
    if len(tokens) != 8 or len(ranges) != 1 or tokens[3] != _AND or tokens[4][0] != "NAME_REF":
        return None
    if kinds[:3] != _HASH_ONLY[:3] or kinds[5] not in _RANGES or kinds[6] != "VALUE_REF":
        return None
    return (kinds[5], tokens[6][1]) if names.get(tokens[4][1]) == ranges[0] else None
