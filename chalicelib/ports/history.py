"""The durable copy of the orders in Postgres."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from chalicelib.domain.orders import Order


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders to list. Times are inclusive from, exclusive to."""

    user_id: str | None = None
    status: str | None = None
    type: str | None = None
    pair: str | None = None
    client_order_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of history, newest first. ``next_cursor`` is ``None`` on the last one."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    next_cursor: str | None = None


class HistoryUnavailableError(Exception):
    """Postgres cannot be reached or refused the statement."""


class History(Protocol):
    """The durable record in Postgres."""

    def record(self, order: Order) -> None:
        """Write the order and its events; writing them again changes nothing.

        :raises HistoryUnavailableError: if it could not be written.
        """
        ...

    def page(self, wanted: OrderFilter, limit: int, cursor: str | None) -> Page:
        """:raises HistoryUnavailableError, ValueError: the latter for a cursor that is none of ours."""
        ...

    def quality(self, since: datetime) -> dict[str, Any]:
        """How the orders accepted since then were executed, in the terms of ``/api/stats``.

        :raises HistoryUnavailableError: if Postgres does not answer.
        """
        ...

    def ping(self) -> None:
        """:raises HistoryUnavailableError: if Postgres does not answer."""
        ...
