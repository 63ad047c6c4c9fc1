"""Reads the orders, swaps and history of a deployment as evidence for the invariants, also when they are damaged."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg.conninfo import conninfo_to_dict

from chalicelib.codec.exact_json import dumps
from chalicelib.codec.orders import event_from_json, spec_from_dict
from chalicelib.domain.invariants import Evidence, HistoryCopy, Swap
from chalicelib.domain.orders import Event, OrderSpec
from chalicelib.history.connection import BoundedConnection, PostgresConnection
from chalicelib.ports.history import HistoryUnavailableError
from infra.ops.deployment import Deployment

Item = Mapping[str, Any]

_CONNECT_SECONDS = 5
_STATEMENT_SECONDS = 30
#: Errors that reading a damaged specification or event raises.
_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
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
                if swap := _swap(row):
                    found[swap.order_id][swap.signature] = swap
        return found

    def landed(self, evidence: Evidence) -> dict[str, Swap]:
        """Return those of the order's transactions that the ledger now has as landed, by signature."""
        rows = [
            self._ledger.get_item(Key={"signature": signature}, ConsistentRead=True)
            for signature in _signatures(evidence)
        ]
        return {swap.signature: swap for row in rows if (swap := _swap(row.get("Item", {})))}

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


def evidence_of(item: Item, swaps: Mapping[str, Swap], copy: HistoryCopy | None) -> Evidence:
    """Return the order of an item with its swaps and its copy in the history; unreadable parts stay as text."""
    events = item.get("events")
    return Evidence(
        order_id=str(item["orderId"]),
        spec=_spec(item),
        status=str(item.get("status")),
        seq=_number(item.get("seq")) or 0,
        events=tuple(map(_event, events)) if isinstance(events, list) else (),
        swaps=tuple(swaps.values()),
        deadline_ms=_number(item.get("attentionAt")),
        history=copy,
    )


def data_of(event: Event) -> str:
    """Return the data that an event carries, as JSON."""
    return dumps(event.meta)


def _signatures(evidence: Evidence) -> set[str]:
    """Return the signatures of the transactions that the order's events name."""
    return {
        event.meta["txHash"]
        for event in evidence.events
        if isinstance(event, Event)
        and isinstance(event.meta, dict)
        and isinstance(event.meta.get("txHash"), str)
        and event.meta["txHash"]
    }


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


def _swap(row: Item) -> Swap | None:
    if row.get("state") != "landed":
        return None
    return Swap(str(row["signature"]), str(row.get("orderId")), _number(row.get("amountOut")) or 0)


def _spec(item: Item) -> OrderSpec | None:
    try:
        return spec_from_dict(dict(item))
    except _UNREADABLE:
        return None


def _event(text: Any) -> Event | str:
    try:
        return event_from_json(text)
    except _UNREADABLE:
        return str(text)


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, Decimal) else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
