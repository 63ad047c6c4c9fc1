"""Keeps the items of the emulator's DynamoDB tables in a file, so that a kill of the process loses no answered write.

The emulator changes items in memory only. This module writes the changes of a request to the file, in one
transaction, before the emulator answers. It also runs one request at a time: the emulator deletes expired items on a
thread of its own. The emulator's process imports this file, which must therefore not import this package.
"""

import gc
import logging
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra.local.state_file import Item, ItemKey, StateFile

Table = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]

_HANDLERS = (
    *("_get_item", "_batch_get_item", "_transact_get_items", "_query", "_scan"),
    *("_put_item", "_update_item", "_delete_item", "_batch_write_item", "_transact_write_items"),
    *("_execute_statement", "_batch_execute_statement", "_execute_transaction"),
)


class DurableTables:
    """Replaces functions of the emulator's DynamoDB module, ``dynamodb``."""

    #: The functions of that module that this class replaces, and the names that it uses.
    NEEDED = (
        *_HANDLERS,
        *("_lock", "_set_item", "_remove_item", "get_state"),
        *("_tables", "_items_replaced", "_txn_idempotency", "error_response_json"),
    )

    def __init__(self, dynamodb: Any, file: "StateFile") -> None:
        self._dynamodb = dynamodb
        self._file = file
        self._lock = RLock()
        self._set_item = dynamodb._set_item
        self._remove_item = dynamodb._remove_item
        self._get_state = dynamodb.get_state
        #: Tables and items as they were before the running request, or ``None`` between requests.
        self._before: dict[ItemKey, tuple[Table, Item | None]] | None = None

    def install(self) -> None:
        for name in _HANDLERS:
            setattr(self._dynamodb, name, self._durable(getattr(self._dynamodb, name)))
        self._dynamodb._lock = self._lock
        self._dynamodb._set_item = self.set_item
        self._dynamodb._remove_item = self.remove_item
        self._dynamodb.get_state = self.definitions

    def restore(self) -> None:
        """Read the items of all tables that the emulator has."""
        # The collector would visit every item again and again while their number grows, and later in each full pass.
        gc.disable()
        with self._lock:
            for table in self._dynamodb._tables.all_values():
                items: defaultdict[str, dict[str, Item]] = defaultdict(dict)
                for partition, sort, item in self._file.items(table["TableId"]):
                    items[partition][sort] = item
                table["items"] = items
                self._dynamodb._items_replaced(table)
        gc.freeze()
        gc.enable()

    def definitions(self) -> dict[str, Any]:
        """Return what the emulator saves of its tables, without the items."""
        with self._lock:
            hidden = [(table, table["items"]) for table in self._dynamodb._tables.all_values()]
            try:
                for table, _ in hidden:
                    table["items"] = {}
                return dict(self._get_state())
            finally:
                for table, items in hidden:
                    table["items"] = items

    def set_item(self, table: Table, partition: str, sort: str, item: "Item") -> Any:
        with self._changing(table, partition, sort):
            return self._set_item(table, partition, sort, item)

    def remove_item(self, table: Table, partition: str, sort: str) -> Any:
        with self._changing(table, partition, sort):
            return self._remove_item(table, partition, sort)

    def _durable(self, handler: Callable[[dict[str, Any]], Answer]) -> Callable[[dict[str, Any]], Answer]:
        def handle(request: dict[str, Any]) -> Answer:
            try:
                with self._transaction():
                    return handler(request)
            except sqlite3.Error as error:
                logging.getLogger("dynamodb").error("A write cannot be stored: %s", error)
                # A client repeats the request with this token, which would count as done.
                self._dynamodb._txn_idempotency.pop(request.get("ClientRequestToken"), None)
                answer: Answer = self._dynamodb.error_response_json(
                    "InternalServerError", f"Not stored: {error}", 500
                )
                return answer

        return handle

    @contextmanager
    def _changing(self, table: Table, partition: str, sort: str) -> Iterator[None]:
        with self._transaction() as before:
            before.setdefault((table["TableId"], partition, sort), (table, _found(table, partition, sort)))
            yield

    @contextmanager
    def _transaction(self) -> Iterator[dict["ItemKey", tuple[Table, "Item | None"]]]:
        """Store the changes of this context, or undo them if they cannot be stored. An inner context joins it."""
        with self._lock:
            if self._before is not None:
                yield self._before
                return
            self._before = {}
            try:
                yield self._before
                if self._before:
                    # The present items, since a handler may have undone a change itself.
                    self._file.write_items({key: _found(one[0], *key[1:]) for key, one in self._before.items()})
            except BaseException:
                self._undo(self._before)
                raise
            finally:
                self._before = None

    def _undo(self, before: dict["ItemKey", tuple[Table, "Item | None"]]) -> None:
        for (_, partition, sort), (table, item) in before.items():
            if item is None:
                self._remove_item(table, partition, sort)
            else:
                self._set_item(table, partition, sort, item)


def _found(table: Table, partition: str, sort: str) -> "Item | None":
    found: Item | None = table["items"].get(partition, {}).get(sort)
    return found
