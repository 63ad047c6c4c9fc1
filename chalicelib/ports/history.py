"""The durable copy of the orders in Postgres."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from chalicelib.domain.orders import Order
from chalicelib.domain.read_model import OrderReadModel


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """The orders to list. ``since`` is inclusive, ``until`` exclusive."""

    user_id: str | None = None
    status: str | None = None
    type: str | None = None
    pair: str | None = None
    client_order_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of orders, newest first. ``next_cursor`` is ``None`` on the last page."""

    orders: list[OrderReadModel] = field(default_factory=list)
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Latencies in whole milliseconds; ``None`` without orders."""

    p50: int | None = None
    p95: int | None = None
    p99: int | None = None


@dataclass(frozen=True, slots=True)
class ExecutionQuality:
    """How orders were executed: counts by status, failure code and venue, latencies, slippage and routing gain.

    Latencies are of confirmed market orders, from acceptance to the first attempt and to the end. Slippage and
    routing gain are in percent.
    """

    orders: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    venues: Mapping[str, int] = field(default_factory=dict)
    retried: int = 0
    to_start: Percentiles = field(default_factory=Percentiles)
    to_end: Percentiles = field(default_factory=Percentiles)
    average_slippage: Decimal | None = None
    worst_slippage: Decimal | None = None
    average_routing_gain: Decimal | None = None


class HistoryUnavailableError(Exception):
    """Postgres does not answer, or refuses the statement."""


class History(Protocol):
    def record(self, order: Order) -> None:
        """Write the order and its events; repeating the write is safe.

        :raises HistoryUnavailableError: if they could not be written.
        """
        ...

    def page(self, wanted: OrderFilter, limit: int, cursor: str | None) -> Page:
        """A page of at most ``limit`` orders after the cursor.

        :raises HistoryUnavailableError: if Postgres does not answer.
        :raises InvalidCursorError: if the cursor does not belong to this list.
        """
        ...

    def quality(self, since: datetime) -> ExecutionQuality:
        """Execution quality of the orders accepted since then.

        :raises HistoryUnavailableError: if Postgres does not answer.
        """
        ...

    def ping(self) -> None:
        """:raises HistoryUnavailableError: if Postgres does not answer."""
        ...
