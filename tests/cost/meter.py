"""Counts what AWS bills for the calls that a block of code makes: capacity units by table, requests, messages."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import thread_time
from typing import Any
from unittest import mock

from botocore.client import BaseClient
from moto.core.botocore_stubber import BotocoreStubber

from infra.aws.template import Template
from tests.cost.capacity import Index, Item, indexes_of, item_bytes, read_units, write_units

_READS = {"GetItem", "Query", "BatchGetItem", "Scan"}
#: A message of SQS is billed for each 64 KB that it begins. Those of the engine are smaller.
_SQS_REQUEST_BYTES = 64 * 1024
Send = Callable[[Any, str, Any], Any]


@dataclass
class Usage:
    """What a function has used. Calls are by ``service operation``, units by table or ``table/index``."""

    calls: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    reads: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    #: The write units by table or index, and partition key.
    partitions: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: The bodies of messages by the name of their queue.
    sent: list[tuple[str, str]] = field(default_factory=list)
    #: CPU seconds that belong to the emulator and to the meter.
    foreign_cpu: float = 0.0

    @property
    def write_units(self) -> int:
        return sum(self.writes.values())

    @property
    def read_units(self) -> float:
        return sum(self.reads.values())

    def number(self, service: str) -> int:
        """The calls of a service."""
        return sum(number for name, number in self.calls.items() if name.startswith(f"{service} "))


class Meter:
    """Observes every client of botocore in this process, on tables of a template."""

    def __init__(self, template: Template) -> None:
        tables = {
            name: resource["Properties"]
            for name, resource in template["Resources"].items()
            if resource.get("Type") == "AWS::DynamoDB::Table"
        }
        self.indexes: dict[str, list[Index]] = {name: indexes_of(table) for name, table in tables.items()}
        self._keys = {name: [part["AttributeName"] for part in table["KeySchema"]] for name, table in tables.items()}

    @contextmanager
    def measuring(self) -> Iterator[Usage]:
        """Collect the use of the block. Nested blocks, and calls of several threads, are not supported."""
        usage = Usage()
        send: Send = BaseClient._make_api_call  # type: ignore[attr-defined]
        through = BotocoreStubber.__call__

        def observed(client: Any, operation: str, parameters: Any) -> Any:
            service = client.meta.service_model.service_name
            usage.calls[f"{service} {operation}"] += 1
            if service == "sqs":
                usage.sent += _messages(parameters)
            if service != "dynamodb":
                return send(client, operation, parameters)
            return self._dynamodb(usage, send, client, operation, parameters)

        def stubbed(stubber: BotocoreStubber, *args: Any, **rest: Any) -> Any:
            began = thread_time()
            try:
                return through(stubber, *args, **rest)
            finally:
                usage.foreign_cpu += thread_time() - began

        with (
            mock.patch.object(BaseClient, "_make_api_call", observed),
            mock.patch.object(BotocoreStubber, "__call__", stubbed),
        ):
            yield usage

    def _dynamodb(self, usage: Usage, send: Send, client: Any, operation: str, parameters: Any) -> Any:
        if operation in _READS:
            answer = send(client, operation, parameters)
            self._read(usage, operation, parameters, answer)
            return answer
        writes = _writes(operation, parameters)
        before = self._images(usage, send, client, writes)
        try:
            return send(client, operation, parameters)
        finally:
            after = self._images(usage, send, client, writes)
            # A transaction prepares and commits each write. A write whose condition fails costs its units, too.
            factor = 2 if operation.startswith("Transact") else 1
            for (table, key), old, new in zip(writes, before, after, strict=True):
                units = factor * write_units(max(item_bytes(old or {}), item_bytes(new or {})))
                usage.writes[table] += units
                usage.partitions[table, str(key[self._keys[table][0]]["S"])] += units
                for index in self.indexes[table]:
                    where = f"{table}/{index.name}"
                    for partition, moved in index.write_units(old, new):
                        usage.writes[where] += moved
                        usage.partitions[where, partition] += moved

    def _images(self, usage: Usage, send: Send, client: Any, writes: list[tuple[str, Item]]) -> list[Item | None]:
        """The items as the emulator has them, without counting."""
        began, emulated = thread_time(), usage.foreign_cpu
        found = []
        for table, attributes in writes:
            key = {name: attributes[name] for name in self._keys[table]}
            answer = send(client, "GetItem", {"TableName": table, "Key": key, "ConsistentRead": True})
            found.append(answer.get("Item"))
        usage.foreign_cpu = emulated + thread_time() - began
        return found

    def _read(self, usage: Usage, operation: str, parameters: Any, answer: Any) -> None:
        consistent = bool(parameters.get("ConsistentRead"))
        if operation == "BatchGetItem":
            for table, wanted in parameters["RequestItems"].items():
                found = answer["Responses"].get(table, ())
                sizes = [item_bytes(item) for item in found] + [0] * (len(wanted["Keys"]) - len(found))
                is_consistent = bool(wanted.get("ConsistentRead"))
                usage.reads[table] += sum(read_units(size, consistent=is_consistent) for size in sizes)
            return
        where = "/".join(filter(None, (parameters["TableName"], parameters.get("IndexName"))))
        items = [answer["Item"]] if answer.get("Item") else answer.get("Items", ())
        # The units are those of all items that a query reads; the emulator answers with the items that remain.
        usage.reads[where] += read_units(sum(map(item_bytes, items)), consistent=consistent)


def _writes(operation: str, parameters: Any) -> list[tuple[str, Item]]:
    """The table and the key, or more attributes, of each item that a call writes."""
    if operation == "TransactWriteItems":
        parts: list[Mapping[str, Any]] = [part for item in parameters["TransactItems"] for part in item.values()]
    elif operation in ("PutItem", "UpdateItem", "DeleteItem"):
        parts = [parameters]
    else:
        raise ValueError(f"the meter knows no {operation}")
    return [(part["TableName"], part.get("Key") or part["Item"]) for part in parts]


def _messages(parameters: Any) -> list[tuple[str, str]]:
    queue = parameters["QueueUrl"].rsplit("/", 1)[-1]
    bodies = [entry["MessageBody"] for entry in parameters.get("Entries", ()) if "MessageBody" in entry]
    bodies += [parameters["MessageBody"]] if "MessageBody" in parameters else []
    assert all(len(body) < _SQS_REQUEST_BYTES for body in bodies)
    return [(queue, body) for body in bodies]
