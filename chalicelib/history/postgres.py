"""The history in Postgres. What ``ports.History`` promises, in one statement per call."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from psycopg.rows import TupleRow

from chalicelib.api.records import record_of
from chalicelib.codec.exact_json import dumps, loads
from chalicelib.codec.orders import event_to_json
from chalicelib.codec.times import to_text
from chalicelib.domain.orders import Order
from chalicelib.domain.status import PHASES, Status
from chalicelib.history import cursors, statements
from chalicelib.history.connection import PostgresConnection
from chalicelib.history.quality import QUALITY
from chalicelib.ports.history import OrderFilter, Page


class PostgresHistory:
    """``History`` on Postgres, safe to share between threads. Timeouts are in seconds."""

    def __init__(self, database_url: str, *, connect_timeout_seconds: int, statement_timeout_seconds: float) -> None:
        self._connection = PostgresConnection(database_url, connect_timeout_seconds, statement_timeout_seconds)

    def record(self, order: Order) -> None:
        events = ",".join(map(event_to_json, order.events))
        parameters = {"order": dumps(_row_of(order)), "events": f"[{events}]"}
        self._connection.run(lambda kept: kept.execute(statements.RECORD, parameters, prepare=True), one_of_many=True)

    def page(self, wanted: OrderFilter, limit: int, cursor: str | None) -> Page:
        parameters: dict[str, Any] = {
            name: _storable(value) if isinstance(value, str) else value
            for name, value in asdict(wanted).items()
            if value is not None
        }
        if cursor is not None:
            parameters["after_time"], parameters["after_id"] = cursors.decode(cursor)
        query = statements.page(parameters)
        # One more than asked for tells whether there is a next page.
        parameters["limit"] = limit + 1
        rows = self._connection.run(lambda kept: kept.execute(query, parameters).fetchall())
        orders = [_record_from(row) for row in rows[:limit]]
        more = len(rows) > limit
        return Page(orders, cursors.encode(orders[-1]["createdAt"], orders[-1]["orderId"]) if more else None)

    def quality(self, since: datetime) -> dict[str, Any]:
        row = self._connection.run(lambda kept: kept.execute(QUALITY, {"since": since}).fetchone())
        found: dict[str, Any] = loads(row[0]) if row else {}
        return found

    def ping(self) -> None:
        self._connection.run(lambda kept: kept.execute("select 1"))

    def close(self) -> None:
        """Let go of the connection; the next call opens another."""
        self._connection.close()


def _row_of(order: Order) -> dict[str, Any]:
    record = record_of(order)
    row = {column: record[key] for column, key in statements.RECORD_KEYS.items()}
    spec = order.spec
    if spec.client_order_id is not None:
        row["client_order_id"] = _storable(spec.client_order_id)
    return row | {"pair": spec.pair.name, "slippage_bps": spec.slippage_bps, "priority": spec.priority.value}


def _record_from(row: TupleRow) -> dict[str, Any]:
    record: dict[str, Any] = dict(zip(statements.RECORD_KEYS.values(), row, strict=True))
    record["phase"] = PHASES[Status(record["status"])].value
    for name in ("quotes", "launch"):
        record[name] = None if record[name] is None else loads(record[name])
    return {key: to_text(value) if isinstance(value, datetime) else value for key, value in record.items()}


def _storable(text: str) -> str:
    """The text without what Postgres refuses, and for which it would refuse the order's history for ever."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
