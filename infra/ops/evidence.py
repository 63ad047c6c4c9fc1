"""Reads the orders, swaps and history of a deployment as evidence for the invariants."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg.conninfo import conninfo_to_dict

from chalicelib.domain.invariants import Evidence, HistoryCopy, RecordedOrder, Swap
from chalicelib.history.address import with_certificates
from chalicelib.history.connection import (
    BoundedConnection,
    InvalidAddressError,
    PostgresConnection,
)
from chalicelib.history.partitions import events_since
from chalicelib.ports.history import HistoryUnavailableError
from infra.errors import InfraError
from infra.ops.deployment import Deployment
from infra.ops.items import Item, signatures_of, swap_of

T = TypeVar("T")

_CONNECT_SECONDS = 5
_STATEMENT_SECONDS = 30
_ORDERS = "select order_id::text, status, seq, amount_out_base from orders where order_id = any(%s)"
#: Pages by the primary key, so that neither side holds all orders.
_RECORDED = "select order_id::text, status, seq from orders where order_id > %s order by order_id limit %s"
_PAGE = 1000
_FIRST_ID = "00000000-0000-0000-0000-000000000000"
#: The most keys that one BatchGetItem takes, and how often its unread keys are asked for again.
_MAX_KEYS = 100
_MAX_READS = 10
_EVENTS = """
    select order_id::text, seq, status, attempt from order_events
    where order_id = any(%s) and at >= coalesce(%s::timestamptz, '-infinity') order by seq
"""
#: PostgreSQL answers this from the index on status.
_EXHAUSTED = (
    "select order_id::text, user_id, updated_at from orders where status = 'failed' and fail_code = 'QUEUE_EXHAUSTED'"
    " order by created_at desc, orders.order_id desc limit %s"
)


class EvidenceReader:
    """Reads a deployment's orders table, ledger and history.

    ``history_missing`` says why the history is not read (any more); it is empty while the history is read.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._dynamodb = deployment.resource("dynamodb")
        self._orders = self._dynamodb.Table(deployment.output("OrdersTableName"))
        self._ledger = self._dynamodb.Table(deployment.output("LedgerTableName"))
        url, self.history_missing = _connectable(deployment.database_url or "")
        self._history = PostgresConnection(url, _CONNECT_SECONDS, _STATEMENT_SECONDS)

    def pages(self, after: str | None = None) -> Iterator[list[Item]]:
        """Yield every order, or those that come after one in the table, a page at a time."""
        return _scan(self._orders, {"orderId": after} if after else None)

    def item(self, order_id: str) -> Item | None:
        item: Item | None = self._orders.get_item(Key={"orderId": order_id}, ConsistentRead=True).get("Item")
        return item

    def existing(self, ids: Collection[str]) -> set[str]:
        """Return those of the ids that the orders table has.

        :raises InfraError: if DynamoDB leaves keys unread again and again.
        """
        found: set[str] = set()
        wanted = sorted(set(ids))
        for start in range(0, len(wanted), _MAX_KEYS):
            found |= self._existing(wanted[start : start + _MAX_KEYS])
        return found

    def _existing(self, ids: list[str]) -> set[str]:
        keys = [{"orderId": one} for one in ids]
        asked: Any = {self._orders.name: {"Keys": keys, "ConsistentRead": True, "ProjectionExpression": "orderId"}}
        found: set[str] = set()
        for _ in range(_MAX_READS):
            answer = self._dynamodb.batch_get_item(RequestItems=asked)
            found |= {item["orderId"] for item in answer["Responses"].get(self._orders.name, ())}
            asked = answer.get("UnprocessedKeys")
            if not asked:
                return found
        raise InfraError("DynamoDB does not read all orders: it is busy. Try again later.")

    def swaps(self) -> dict[str, dict[str, Swap]]:
        """Return every swap that landed, by order and signature."""
        found: defaultdict[str, dict[str, Swap]] = defaultdict(dict)
        for page in _scan(self._ledger):
            for row in page:
                if swap := swap_of(row):
                    found[swap.order_id][swap.signature] = swap
        return found

    def landed(self, evidence: Evidence) -> dict[str, Swap]:
        """Return those of the order's transactions that the ledger now has as landed, by signature."""
        rows = [
            self._ledger.get_item(Key={"signature": signature}, ConsistentRead=True)
            for signature in signatures_of(evidence)
        ]
        return {swap.signature: swap for row in rows if (swap := swap_of(row.get("Item", {})))}

    def copies(self, ids: Collection[str]) -> dict[str, HistoryCopy]:
        """Return the history's copies of these orders."""
        uuids = [one for one in map(_uuid, ids) if one]
        if not uuids:
            return {}

        def read(connection: BoundedConnection) -> dict[str, HistoryCopy]:
            since = events_since(connection)
            events: defaultdict[str, list[tuple[int, str, int]]] = defaultdict(list)
            for order_id, seq, status, attempt in connection.execute(_EVENTS, [uuids, since]):
                events[order_id].append((seq, status, attempt))
            return {
                order_id: HistoryCopy(
                    status, seq, None if amount is None else int(amount), tuple(events[order_id]), since
                )
                for order_id, status, seq, amount in connection.execute(_ORDERS, [uuids])
            }

        return self._read(read) or {}

    def events_since(self) -> datetime | None:
        """Return the time from which on the history has events; ``None`` if it has dropped none."""
        return self._read(events_since)

    def recorded(self) -> Iterator[list[RecordedOrder]]:
        """Yield every order of the history, a page at a time."""
        last = _FIRST_ID
        while page := self._recorded_after(last):
            yield page
            last = page[-1].order_id

    def _recorded_after(self, order_id: str) -> list[RecordedOrder]:
        rows = self._read(lambda connection: connection.execute(_RECORDED, [order_id, _PAGE]).fetchall())
        return [RecordedOrder(*row) for row in rows or ()]

    def exhausted(self, limit: int) -> list[tuple[str, str, datetime]]:
        """Return the newest orders that failed as QUEUE_EXHAUSTED: id, user and time of the failure."""
        return self._read(lambda connection: connection.execute(_EXHAUSTED, [limit]).fetchall()) or []

    def _read(self, work: Callable[[BoundedConnection], T]) -> T | None:
        """Read from the history; note why not, and return ``None``, if that fails."""
        if self.history_missing:
            return None
        try:
            return self._history.run(work)
        except HistoryUnavailableError as error:
            self.history_missing = " ".join(str(error).split())
            return None

    def close(self) -> None:
        self._history.close()


def database_name(url: str) -> str:
    """Name the database of an address without its password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        return "not the address of a database"
    server = f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}"
    return f"{parts.get('dbname', 'the default database')} at {server}"


def _connectable(url: str) -> tuple[str, str]:
    """Return the address to connect to, and why there is none."""
    if not url:
        return "", "DATABASE_URL is not set, and no secret has an address that this command can use"
    try:
        return with_certificates(url), ""
    except InvalidAddressError as error:
        return "", f"DATABASE_URL {error}"


def _scan(table: Any, after: Mapping[str, str] | None = None) -> Iterator[list[Item]]:
    answer = table.scan(ConsistentRead=True, **({"ExclusiveStartKey": after} if after else {}))
    yield answer["Items"]
    while "LastEvaluatedKey" in answer:
        answer = table.scan(ConsistentRead=True, ExclusiveStartKey=answer["LastEvaluatedKey"])
        yield answer["Items"]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
