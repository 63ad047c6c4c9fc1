"""The durable copy of the orders in Postgres."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from chalicelib.domain.orders import Order
from chalicelib.domain.read_model import OrderReadModel
from chalicelib.domain.status import OrderType


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """The orders to list. ``since`` and ``until`` bound the creation time, ``until`` exclusively.

    ``updated_since`` asks for the orders that changed at that time or later.
    """

    user_id: str | None = None
    status: str | None = None
    type: str | None = None
    pair: str | None = None
    client_order_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    updated_since: datetime | None = None

    def includes(self, order: OrderReadModel) -> bool:
        """True if the list with this filter shows the order."""
        wanted: list[tuple[str | None, str | None]] = [
            (self.user_id, order.user_id),
            (self.status, order.status),
            (self.type, order.type),
            (self.pair, order.pair.name),
            (self.client_order_id, order.client_order_id),
        ]
        created_at = order.position[0]
        return (
            all(asked is None or asked == actual for asked, actual in wanted)
            and (self.since is None or self.since <= created_at)
            and (self.until is None or created_at < self.until)
            and (self.updated_since is None or self.updated_since <= order.updated_at)
        )


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
    """How orders were executed: counts by status, failure code, venue and code of a retry; times and percentages.

    ``to_start`` and ``to_end`` are of confirmed market orders, from acceptance to the first attempt and to the end.
    ``quoting``, ``building`` and ``landing`` are the stages of the attempt that filled an order of any type; the
    quoting of a retry is left out, because it includes the pause before it. ``missed_triggers`` counts the triggers
    after which the price moved away, and ``missed_orders`` the limit orders that had one.

    Percentages are of confirmed orders. Slippage is below the quote traded on; ``slippage_used`` is its part of the
    room that the minimum output leaves, from 0 to 100. The routing gain is that of the best quote over the worst, the
    preview gain that of the output over the first chosen quote. ``covered_since`` is the time of the oldest order
    covered, if there may be more orders than one call sums up.
    """

    orders: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    venues: Mapping[str, int] = field(default_factory=dict)
    retries: Mapping[str, int] = field(default_factory=dict)
    retried: int = 0
    missed_orders: int = 0
    missed_triggers: int = 0
    to_start: Percentiles = field(default_factory=Percentiles)
    quoting: Percentiles = field(default_factory=Percentiles)
    building: Percentiles = field(default_factory=Percentiles)
    landing: Percentiles = field(default_factory=Percentiles)
    to_end: Percentiles = field(default_factory=Percentiles)
    average_slippage: Decimal | None = None
    worst_slippage: Decimal | None = None
    average_slippage_used: Decimal | None = None
    worst_slippage_used: Decimal | None = None
    average_routing_gain: Decimal | None = None
    average_preview_gain: Decimal | None = None
    worst_preview_gain: Decimal | None = None
    covered_since: datetime | None = None


class HistoryUnavailableError(Exception):
    """Postgres does not answer, or refuses the statement."""


class HistoryTooSlowError(HistoryUnavailableError):
    """Postgres does not complete the statement in time. Without a pooler this means that it answers otherwise."""


class History(Protocol):
    def record(self, order: Order) -> None:
        """Write the order and its events; repeating the write is safe.

        :raises HistoryUnavailableError: if they could not be written.
        """
        ...

    def page(self, wanted: OrderFilter, limit: int, cursor: str | None) -> Page:
        """A page of at most ``limit`` orders after the cursor.

        ``updated_since`` also selects the orders that were recorded since then: a client that lists them by their
        changes must receive one that was recorded late.

        :raises HistoryUnavailableError: if Postgres does not answer.
        :raises InvalidCursorError: if the cursor does not belong to this list.
        """
        ...

    def settled(self, order_ids: Collection[str]) -> set[str]:
        """The ids among these of the orders that the history holds with a terminal status, which is their last.

        :raises HistoryUnavailableError: if Postgres does not answer.
        """
        ...

    def quality(self, since: datetime, until: datetime | None = None, user_id: str | None = None) -> ExecutionQuality:
        """Execution quality of the orders accepted since then, or of the newest of them: all users' or one user's.

        ``until`` is exclusive.

        :raises HistoryTooSlowError: if Postgres does not complete the statement in time.
        :raises HistoryUnavailableError: if Postgres does not answer.
        """
        ...

    def count_open(self, limit: int) -> Mapping[OrderType, int]:
        """The open limit and sniper orders that are recorded, each counted up to ``limit``.

        :raises HistoryTooSlowError: if Postgres does not complete the statement in time.
        :raises HistoryUnavailableError: if Postgres does not answer.
        """
        ...

    def ping(self) -> None:
        """:raises HistoryUnavailableError: if Postgres does not answer."""
        ...
