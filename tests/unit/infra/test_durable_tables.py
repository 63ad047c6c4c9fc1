"""The file of the emulator's tables has what was answered, and nothing else."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.durable_tables import DurableTables
from infra.local.sorted_indexes import SortedIndexes
from infra.local.state_file import StateFile
from tests.support.emulator import emulator_module

_TABLE = "orders"
_SCHEMA: dict[str, Any] = {
    "TableName": _TABLE,
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "number", "KeyType": "RANGE"}],
    "AttributeDefinitions": [
        {"AttributeName": "id", "AttributeType": "S"},
        {"AttributeName": "number", "AttributeType": "N"},
        {"AttributeName": "user", "AttributeType": "S"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-user",
            "KeySchema": [
                {"AttributeName": "user", "KeyType": "HASH"},
                {"AttributeName": "number", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    "BillingMode": "PAY_PER_REQUEST",
}

_key = st.tuples(st.sampled_from("abc"), st.sampled_from("12"))
_change = st.tuples(st.sampled_from(["Put", "Update", "Delete"]), _key)
_request = st.one_of(
    _change.map(lambda change: [change]),
    st.lists(_change, min_size=2, max_size=4, unique_by=lambda change: change[1]),
)


class Emulator:
    """The emulator's tables, patched as in its process."""

    def __init__(self, directory: Path) -> None:
        self.dynamodb = emulator_module("services.dynamodb")
        SortedIndexes(self.dynamodb).install()
        self.path = directory / "state.sqlite3"
        self.file = StateFile(self.path)
        self.tables = DurableTables(self.dynamodb, self.file)
        self.tables.install()
        self.dynamodb._create_table(_SCHEMA)

    def killed(self, directory: Path | None = None) -> "Emulator":
        """Return the emulator that starts with the files of this one, or those in ``directory``."""
        self.file.close()
        started = Emulator(directory or self.path.parent)
        # The emulator restores the definitions of its tables first.
        started.table["TableId"] = self.table["TableId"]
        started.tables.restore()
        return started

    @property
    def table(self) -> dict[str, Any]:
        table: dict[str, Any] = self.dynamodb._tables[_TABLE]
        return table

    def call(self, handler: str, **request: Any) -> int:
        return int(getattr(self.dynamodb, handler)(request)[0])

    def request(self, changes: list[tuple[str, tuple[str, str]]], value: str) -> int:
        """Write these items alone or, if they are more than one, in one transaction."""
        if len(changes) > 1:
            return self.call("_transact_write_items", TransactItems=[_transacted(*one, value) for one in changes])
        ((kind, operation),) = _transacted(*changes[0], value).items()
        return self.call(f"_{kind.lower()}_item", **operation)

    def items(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {(pk, sk): item for pk, items in self.table["items"].items() for sk, item in items.items()}

    def of_user(self, user: str) -> list[dict[str, Any]]:
        values = {":u": {"S": user}}
        answer = self.dynamodb._query(
            {
                "TableName": _TABLE,
                "IndexName": "by-user",
                "KeyConditionExpression": "#u = :u",
                "ExpressionAttributeNames": {"#u": "user"},
                "ExpressionAttributeValues": values,
            }
        )
        items: list[dict[str, Any]] = json.loads(answer[2])["Items"]
        return items


def _transacted(kind: str, key: tuple[str, str], value: str) -> dict[str, Any]:
    typed = {"id": {"S": key[0]}, "number": {"N": key[1]}}
    if kind == "Put":
        return {kind: {"TableName": _TABLE, "Item": typed | {"user": {"S": value}}}}
    if kind == "Delete":
        return {kind: {"TableName": _TABLE, "Key": typed}}
    update = {"UpdateExpression": "SET #v = :v", "ExpressionAttributeNames": {"#v": "user"}}
    return {kind: {"TableName": _TABLE, "Key": typed, "ExpressionAttributeValues": {":v": {"S": value}}} | update}


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    started = Emulator(tmp_path)
    yield started
    started.file.close()


@pytest.fixture
def full(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Fills the disk; ``undo`` frees it."""

    def fail(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    emulator.request([("Put", ("a", "1"))], "before")
    monkeypatch.setattr(emulator.file, "_write", fail)
    return monkeypatch


@settings(max_examples=30, deadline=None)
@given(st.lists(_request, max_size=12))
def test_a_killed_emulator_starts_with_the_items_that_it_had(requests: list[list[Any]]) -> None:
    with TemporaryDirectory() as directory:
        emulator = Emulator(Path(directory))
        for number, changes in enumerate(requests):
            assert emulator.request(changes, f"user-{number}") == 200
        expected = emulator.items()
        started = emulator.killed()
        assert started.items() == expected
        for item in expected.values():
            assert item in started.of_user(item["user"]["S"])
        started.file.close()


def test_a_batch_is_stored(emulator: Emulator) -> None:
    put = {"PutRequest": _transacted("Put", ("b", "1"), "new")["Put"]}
    emulator.request([("Put", ("a", "1"))], "old")
    delete = {"DeleteRequest": _transacted("Delete", ("a", "1"), "")["Delete"]}
    assert emulator.call("_batch_write_item", RequestItems={_TABLE: [put, delete]}) == 200
    assert set(emulator.killed().items()) == {("b", "1")}


def test_a_refused_condition_stores_nothing(emulator: Emulator) -> None:
    put = _transacted("Put", ("a", "1"), "new")["Put"]
    assert emulator.call("_put_item", **put, ConditionExpression="attribute_exists(id)") == 400
    assert not emulator.killed().items()


def test_a_torn_last_write_is_dropped_as_a_whole(emulator: Emulator, tmp_path: Path) -> None:
    emulator.request([("Put", ("a", "1"))], "before")
    size = emulator.path.with_name("state.sqlite3-wal").stat().st_size
    emulator.request([("Put", (key, "1")) for key in "abc"], "torn " * 2000)
    torn = tmp_path / "torn"
    torn.mkdir()
    for file in tmp_path.glob("state.sqlite3*"):
        shutil.copy(file, torn)
    log = torn / "state.sqlite3-wal"
    with log.open("r+b") as writing:
        writing.truncate((size + log.stat().st_size) // 2)
    items = emulator.killed(torn).items()
    assert {key: item["user"]["S"] for key, item in items.items()} == {("a", "1"): "before"}


@pytest.mark.parametrize("kind", ["Put", "Update", "Delete"])
@pytest.mark.parametrize("keys", [["a"], ["a", "b"]])
def test_a_write_that_cannot_be_stored_is_an_error_and_changes_nothing(
    emulator: Emulator, full: pytest.MonkeyPatch, kind: str, keys: list[str]
) -> None:
    assert emulator.request([(kind, (key, "1")) for key in keys], "lost") == 500
    assert {key: item["user"]["S"] for key, item in emulator.items().items()} == {("a", "1"): "before"}
    assert len(emulator.of_user("before")) == 1
    full.undo()
    assert {key: item["user"]["S"] for key, item in emulator.killed().items().items()} == {("a", "1"): "before"}


def test_a_repeat_of_a_transaction_that_was_not_stored_is_executed(
    emulator: Emulator, full: pytest.MonkeyPatch
) -> None:
    items = [_transacted("Put", ("b", "1"), "new")]
    assert emulator.call("_transact_write_items", TransactItems=items, ClientRequestToken="once") == 500
    full.undo()
    assert emulator.call("_transact_write_items", TransactItems=items, ClientRequestToken="once") == 200
    assert ("b", "1") in emulator.killed().items()


def test_an_expired_item_does_not_come_back(emulator: Emulator) -> None:
    emulator.request([("Put", ("a", "1"))], "old")
    # As on the thread that deletes expired items, outside of any request.
    emulator.dynamodb._remove_item(emulator.table, "a", "1")
    assert not emulator.killed().items()


def test_the_saved_definition_of_a_table_has_no_items(emulator: Emulator) -> None:
    emulator.request([("Put", ("a", "1"))], "kept")
    (saved,) = emulator.tables.definitions()["tables"].all_values()
    assert not saved["items"]
    assert ("a", "1") in emulator.items()
