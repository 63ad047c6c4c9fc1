"""The emulator's memory in one SQLite file: items, messages, and the definitions of all services.

A change is in the file when its method returns, and each method is one transaction. The file survives a kill of the
process at any moment, but it is not synced to the disk, so that a power failure may lose the last changes. The
emulator's process imports this file, which must therefore not import this package.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

Item = dict[str, Any]
Message = dict[str, Any]
#: Table id, partition key and sort key, as the emulator spells them.
ItemKey = tuple[str, str, str]

#: The lock first: SQLite then needs no file of shared memory, which a full disk has no space for.
_SETTINGS = ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=OFF")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    table_id TEXT, partition TEXT, sort TEXT, item TEXT NOT NULL, PRIMARY KEY (table_id, partition, sort)
);
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE, queue TEXT NOT NULL, receives INTEGER NOT NULL, message TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS services (name TEXT PRIMARY KEY, definitions TEXT NOT NULL);
"""
_PUT_ITEM = "INSERT INTO items VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET item = excluded.item"
_REMOVE_ITEM = "DELETE FROM items WHERE table_id = ? AND partition = ? AND sort = ?"
_PUT_MESSAGE = "REPLACE INTO messages (id, queue, receives, message) VALUES (?, ?, ?, ?)"
_PUT_SERVICE = "REPLACE INTO services VALUES (?, ?)"


class StateFile:
    """The open file. Every method raises ``sqlite3.Error`` if the file cannot be read or written."""

    def __init__(self, path: Path, wait_seconds: float = 10) -> None:
        """:raises sqlite3.Error: if another process still uses the file after ``wait_seconds``."""
        self._lock = Lock()
        self._file = sqlite3.connect(path, wait_seconds, isolation_level="IMMEDIATE", check_same_thread=False)
        for setting in _SETTINGS:
            self._file.execute(f"PRAGMA {setting}")
        self._file.executescript(_SCHEMA)

    def close(self) -> None:
        self._file.close()

    def _write(self, *changes: tuple[str, Iterable[tuple[Any, ...]]]) -> None:
        with self._lock, self._file:
            for statement, rows in changes:
                self._file.executemany(statement, rows)

    def _read(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._file.execute(statement, values).fetchall()

    # --- tables --------------------------------------------------------------------------------------------

    def write_items(self, items: Mapping[ItemKey, Item | None]) -> None:
        """Store items, and remove those that are ``None``."""
        stored = [(*key, json.dumps(item)) for key, item in items.items() if item is not None]
        self._write((_PUT_ITEM, stored), (_REMOVE_ITEM, [key for key, item in items.items() if item is None]))

    def items(self, table_id: str) -> Iterator[tuple[str, str, Item]]:
        """Return partition key, sort key and item of each item of a table."""
        for partition, sort, item in self._read(
            "SELECT partition, sort, item FROM items WHERE table_id = ?", table_id
        ):
            yield partition, sort, json.loads(item)

    # --- queues --------------------------------------------------------------------------------------------

    def put_messages(self, queue: str, messages: Iterable[Message]) -> None:
        """Store messages in a queue. A message that is in another queue leaves it."""
        rows = [(one["id"], queue, one["receive_count"], json.dumps(one)) for one in messages]
        self._write((_PUT_MESSAGE, rows))

    def receive_messages(self, messages: Iterable[Message]) -> None:
        """Store how often messages were received."""
        rows = [(one["receive_count"], one["id"]) for one in messages]
        self._write(("UPDATE messages SET receives = ? WHERE id = ?", rows))

    def remove_messages(self, ids: Iterable[str]) -> None:
        self._write(("DELETE FROM messages WHERE id = ?", [(one,) for one in ids]))

    def messages(self, queue: str) -> list[Message]:
        """Return a queue's messages in the order in which they were sent."""
        rows = self._read("SELECT message, receives FROM messages WHERE queue = ? ORDER BY number", queue)
        return [{**json.loads(message), "receive_count": receives} for message, receives in rows]

    # --- services ------------------------------------------------------------------------------------------

    def save_services(self, definitions: Mapping[str, str]) -> None:
        """Replace the definitions of these services, all or none."""
        self._write((_PUT_SERVICE, definitions.items()))

    def service(self, name: str) -> str | None:
        """Return a service's definitions, or ``None`` if none were saved."""
        found = self._read("SELECT definitions FROM services WHERE name = ?", name)
        return found[0][0] if found else None
