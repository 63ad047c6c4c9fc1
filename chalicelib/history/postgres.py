"""The history of orders in Postgres."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row
from psycopg.sql import Composed

from chalicelib.clock import MAX_CLOCK_DIFFERENCE
from chalicelib.codec import cursors
from chalicelib.codec.exact_json import dumps
from chalicelib.codec.times import earlier
from chalicelib.domain.orders import Order
from chalicelib.domain.status import TERMINAL, OrderType
from chalicelib.history import lists, quality, statements
from chalicelib.history.connection import PostgresConnection
from chalicelib.history.rows import event_row, order_row, read_model, storable
from chalicelib.ports.history import ExecutionQuality, OrderFilter, Page


class PostgresHistory:
    """``History`` on Postgres, safe to share between threads. Timeouts are in seconds.

    ``is_pooled``: the address is that of a pooler in transaction mode.
    """

    def __init__(
        self,
        database_url: str,
        *,
        connect_timeout_seconds: int,
        statement_timeout_seconds: float,
        is_pooled: bool = False,
    ) -> None:
        self._connection = PostgresConnection(
            database_url, connect_timeout_seconds, statement_timeout_seconds, is_pooled=is_pooled
        )

    def record(self, order: Order, events_since: datetime | None = None) -> None:
        """Record an order. A rebuild leaves out the events before the months that the history keeps."""
        kept_events = (event for event in order.events if events_since is None or event.at >= events_since)
        events = ",".join(map(event_row, kept_events))
        parameters = {"order": dumps(order_row(order)), "events": f"[{events}]"}
        self._connection.run(lambda kept: kept.execute(statements.RECORD, parameters, prepare=True), is_bulk=True)

    def page(self, wanted: OrderFilter, limit: int, cursor: str | None) -> Page:
        parameters: dict[str, Any] = {
            name: storable(value) if isinstance(value, str) else value
            for name, value in asdict(wanted).items()
            if value is not None
        }
        if wanted.updated_since is not None:
            parameters["updated_since"] = earlier(wanted.updated_since, MAX_CLOCK_DIFFERENCE)
        if cursor is not None:
            parameters["after_time"], parameters["after_id"] = cursors.decode(cursor)
        query = lists.page(parameters)
        # A row beyond the page means that there is a next page.
        parameters["limit"] = limit + 1
        rows = self._rows(query, parameters)
        orders = [read_model(row) for row in rows[:limit]]
        has_more = len(rows) > limit
        return Page(orders, cursors.encode(*orders[-1].position) if has_more else None)

    def settled(self, order_ids: Collection[str]) -> set[str]:
        parameters = {"order_ids": list(order_ids), "terminal": list(TERMINAL)}
        rows = self._connection.run(lambda kept: kept.execute(statements.SETTLED, parameters).fetchall())
        return {order_id for (order_id,) in rows}

    def quality(self, since: datetime, until: datetime | None = None, user_id: str | None = None) -> ExecutionQuality:
        parameters = quality.parameters_of(since, until, user_id)
        [row] = self._rows(quality.summary(parameters), parameters)
        return quality.quality_of(row)

    def count_open(self, limit: int) -> Mapping[OrderType, int]:
        parameters = {"types": [OrderType.LIMIT.value, OrderType.SNIPER.value], "limit": limit}
        return {OrderType(row["type"]): row["number"] for row in self._rows(statements.COUNT_OPEN, parameters)}

    def ping(self) -> None:
        self._connection.run(lambda kept: kept.execute("select 1"))

    def _rows(self, query: Composed | str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The rows as dictionaries. The server plans each call for its values, as a prepared statement's plan ignores
        how many orders a filter leaves.
        """
        return self._connection.run(
            lambda kept: kept.cursor(row_factory=dict_row).execute(query, parameters, prepare=False).fetchall()
        )

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        self._connection.close()
