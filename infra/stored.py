"""What a deployment has stored of its orders, read as evidence: whatever is wrong with it, it is read."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg.conninfo import conninfo_to_dict

from chalicelib.codec.events import event_from_json
from chalicelib.codec.orders import UNREADABLE, spec_from_dict, spec_from_json
from chalicelib.domain.events import Confirmed, Event, Submitted
from chalicelib.domain.invariants import Evidence, HistoryCopy, Swap
from chalicelib.domain.spec import OrderSpec
from chalicelib.history.connection import BoundedConnection, PostgresConnection
from chalicelib.ports.history import HistoryUnavailableError
from infra.deployed import Deployment

Item = Mapping[str, Any]

_CONNECT_SECONDS = 5
_STATEMENT_SECONDS = 30
_ORDERS = "select order_id::text, status, seq, amount_out_base from orders where order_id = any(%s)"
_EVENTS = "select order_id::text, seq, status, attempt from order_events where order_id = any(%s) order by seq"
#: By the index on status.
_GIVEN_UP = (
    "select order_id::text, user_id, updated_at from orders where status = 'failed' and fail_code = 'QUEUE_EXHAUSTED'"
    " order by created_at desc, orders.order_id desc limit %s"
)


class Stored:
    """A deployment's orders table, ledger and history.

    ``history_missing`` says why the history is not looked at (any more), and is empty where it is.
    """

    def __init__(self, deployed: Deployment) -> None:
        dynamodb = deployed.resource("dynamodb")
        self._orders = dynamodb.Table(deployed.output("OrdersTableName"))
        self._ledger = dynamodb.Table(deployed.output("LedgerTableName"))
        url = deployed.database_url or ""
        self._history = PostgresConnection(url, _CONNECT_SECONDS, _STATEMENT_SECONDS)
        self.history_missing = _unusable(url)

    def pages(self) -> Iterator[list[Item]]:
        """Every order, a page at a time."""
        return _scan(self._orders)

    def item(self, order_id: str) -> Item | None:
        item: Item | None = self._orders.get_item(Key={"orderId": order_id}, ConsistentRead=True).get("Item")
        return item

    def swaps(self) -> dict[str, dict[str, Swap]]:
        """Every swap that landed, by order and signature."""
        found: defaultdict[str, dict[str, Swap]] = defaultdict(dict)
        for page in _scan(self._ledger):
            for row in page:
                if swap := _swap(row):
                    found[swap.order_id][swap.signature] = swap
        return found

    def landed(self, evidence: Evidence) -> dict[str, Swap]:
        """What became of the signatures that the order has sent: those that landed, as the ledger has them now."""
        sent = {
            event.data.tx_hash
            for event in evidence.events
            # The codec does not check the types of a version 1 event.
            if isinstance(event, Event)
            and isinstance(event.data, Submitted | Confirmed)
            and isinstance(event.data.tx_hash, str)
        }
        rows = [self._ledger.get_item(Key={"signature": one}, ConsistentRead=True) for one in sent if one]
        return {swap.signature: swap for row in rows if (swap := _swap(row.get("Item", {})))}

    def copies(self, ids: Collection[str]) -> dict[str, HistoryCopy]:
        """What the history has of these orders."""
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

    def given_up(self, limit: int) -> list[tuple[str, str, datetime]]:
        """The newest orders that the queue gave up: id, user and end."""
        if self.history_missing:
            return []
        try:
            return self._history.run(lambda connection: connection.execute(_GIVEN_UP, [limit]).fetchall())
        except HistoryUnavailableError as error:
            self.history_missing = " ".join(str(error).split())
            return []

    def close(self) -> None:
        self._history.close()


def evidence_of(item: Item, swaps: Mapping[str, Swap], copy: HistoryCopy | None) -> Evidence:
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


def database_of(url: str) -> str:
    """Which database an address means, without the password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        return "no address of a database"
    where = f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}"
    return f"{parts.get('dbname', 'the default database')} at {where}"


def _unusable(url: str) -> str:
    """Why there is no asking a database at this address; libpq's own words may have the password in them."""
    if not url:
        return "DATABASE_URL is not set"
    try:
        conninfo_to_dict(url)
    except psycopg.Error:
        return "DATABASE_URL is no address of a database"
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
    """The specification; items of version 1 have one attribute per field."""
    try:
        return spec_from_json(item["spec"]) if "spec" in item else spec_from_dict(item)
    except UNREADABLE:
        return None


def _event(text: Any) -> Event | str:
    try:
        return event_from_json(text)
    except UNREADABLE:
        return str(text)


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, Decimal) else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
