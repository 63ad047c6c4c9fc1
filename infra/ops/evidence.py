"""Reads the orders, swaps and history of a deployment as evidence for the invariants."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.conninfo import conninfo_to_dict

from chalicelib.domain.invariants import Evidence, HistoryCopy, Swap
from chalicelib.history.connection import BoundedConnection, PostgresConnection
from chalicelib.ports.history import HistoryUnavailableError
from infra.ops.deployment import Deployment
from infra.ops.items import Item, signatures_of, swap_of

_CONNECT_SECONDS = 5
_STATEMENT_SECONDS = 30
_ORDERS = "select order_id::text, status, seq, amount_out_base from orders where order_id = any(%s)"
_EVENTS = "select order_id::text, seq, status, attempt from order_events where order_id = any(%s) order by seq"
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
        dynamodb = deployment.resource("dynamodb")
        self._orders = dynamodb.Table(deployment.output("OrdersTableName"))
        self._ledger = dynamodb.Table(deployment.output("LedgerTableName"))
        url = deployment.database_url or ""
        self._history = PostgresConnection(url, _CONNECT_SECONDS, _STATEMENT_SECONDS)
        self.history_missing = _unusable(url)

    def pages(self) -> Iterator[list[Item]]:
        """Yield every order, a page at a time."""
        return _scan(self._orders)

    def item(self, order_id: str) -> Item | None:
        item: Item | None = self._orders.get_item(Key={"orderId": order_id}, ConsistentRead=True).get("Item")
        return item

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
        if self.history_missing or not uuids:
            return {}

        def read(connection: BoundedConnection) -> dict[str, HistoryCopy]:
            events: defaultdict[str, list[tuple[int, str, int]]] = defaultdict(list)
            for order_id, seq, status, attempt in connection.execute(_EVENTS, [uuids]):
                events[order_id].append((seq, status, attempt))
            return {
                order_id: HistoryCopy(status, seq, None if amount is None else int(amount), tuple(events[order_id]))
                for order_id, status, seq, amount in connection.execute(_ORDERS, [uuids])
            }

        try:
            return self._history.run(read)
        except HistoryUnavailableError as error:
            self.history_missing = " ".join(str(error).split())
            return {}

    def exhausted(self, limit: int) -> list[tuple[str, str, datetime]]:
        """Return the newest orders that failed as QUEUE_EXHAUSTED: id, user and time of the failure."""
        if self.history_missing:
            return []
        try:
            return self._history.run(lambda connection: connection.execute(_EXHAUSTED, [limit]).fetchall())
        except HistoryUnavailableError as error:
            self.history_missing = " ".join(str(error).split())
            return []

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


def _unusable(url: str) -> str:
    """Say why this is not an address to connect to. libpq's own message may contain the password."""
    if not url:
        return "DATABASE_URL is not set"
    try:
        conninfo_to_dict(url)
    except psycopg.Error:
        return "DATABASE_URL is not the address of a database"
    return ""


def _scan(table: Any) -> Iterator[list[Item]]:
    answer = table.scan(ConsistentRead=True)
    yield answer["Items"]
    while "LastEvaluatedKey" in answer:
        answer = table.scan(ConsistentRead=True, ExclusiveStartKey=answer["LastEvaluatedKey"])
        yield answer["Items"]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
