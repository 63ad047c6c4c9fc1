"""The list of orders: a page of the history, corrected by the orders table, which alone has every order as it is.

The list of a user's orders does not need Postgres: while it is away, the orders table alone answers.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from chalicelib.codec import cursors
from chalicelib.codec.times import earlier
from chalicelib.domain.identity import Caller, Scope
from chalicelib.domain.read_model import OrderReadModel, Position, read_model_of
from chalicelib.domain.status import TERMINAL, Status
from chalicelib.ports.history import History, HistoryUnavailableError, OrderFilter, Page
from chalicelib.ports.order_index import OrderIndex
from chalicelib.services.orders.lookup import user_for
from chalicelib.services.orders.signed_cursors import CursorSigner

log = logging.getLogger(__name__)

#: Orders that DynamoDB returns for one request.
_BATCH = 100
#: Orders of the table that one call reads; the next page goes on from there.
_MAX_READ = 2000
#: The time of an event precedes its write by less than this: the engine repeats a write whose answer is lost.
_LONGEST_WRITE = timedelta(seconds=5)


@dataclass(slots=True)
class _Scan:
    """Orders of the table that a filter includes, newest first. ``stopped_at``: the last order that was read, if the
    scan ended before the last position.
    """

    found: list[OrderReadModel]
    stopped_at: Position | None = None


@dataclass(frozen=True, slots=True)
class ListOrders:
    index: OrderIndex
    history: History
    signer: CursorSigner
    now: Callable[[], datetime]

    def __call__(self, caller: Caller, wanted: OrderFilter, limit: int, cursor: str | None) -> Page:
        """A page of at most ``limit`` orders, newest first. A caller without ``operate`` sees its own orders only.

        :raises MissingScopeError: if the caller names another user without ``operate``.
        :raises HistoryUnavailableError: if Postgres does not answer, and the list is not the one of a user.
        :raises InvalidCursorError: if the cursor does not belong to this list of this caller.
        """
        user_id = user_for(caller, wanted.user_id, Scope.READ)
        if Scope.OPERATE not in caller.scopes:
            wanted = replace(wanted, user_id=user_id)
        if cursor is not None:
            cursor = self.signer.verified(cursor, caller, wanted)
        page = self._page(wanted, limit, cursor)
        if page.next_cursor is None:
            return page
        return replace(page, next_cursor=self.signer.sign(page.next_cursor, caller, wanted))

    def _page(self, wanted: OrderFilter, limit: int, cursor: str | None) -> Page:
        after, as_of = None, self.now() if wanted.updated_since else None
        if cursor is not None:
            after, as_of = cursors.decode(cursor), cursors.as_of(cursor)
        unsettled = self.index.unsettled(wanted.user_id)
        try:
            return self._corrected(wanted, limit, cursor, after, unsettled, as_of)
        except HistoryUnavailableError:
            if wanted.user_id is None:
                raise
            log.exception("the orders table alone answers, because the history does not")
            positions = self.index.newest_of(wanted.user_id, wanted.since, after)
            return _page(self._scan(positions, wanted, limit), [], None, limit, as_of)

    def _corrected(
        self,
        wanted: OrderFilter,
        limit: int,
        cursor: str | None,
        after: Position | None,
        unsettled: list[Position],
        as_of: datetime | None,
    ) -> Page:
        # Most recent orders are recorded, and the history has a terminal order as it stays.
        settled = self.history.settled([str(order_id) for _, order_id in unsettled])
        rest = (
            position
            for position in unsettled
            if str(position[1]) not in settled and (after is None or position < after)
        )
        scan = self._scan(rest, wanted, limit)
        page = self.history.page(wanted, limit, cursor)
        rows_end = page.orders[-1].position if page.next_cursor else None
        return _page(scan, self._as_they_are(page.orders, wanted), rows_end, limit, as_of)

    def _scan(self, positions: Iterable[Position], wanted: OrderFilter, limit: int) -> _Scan:
        """The first orders at these positions that the filter includes: up to one more than the page has."""
        left = iter(positions)
        scan = _Scan([])
        for _ in range(_MAX_READ // _BATCH):
            batch = list(islice(left, _BATCH))
            scan.found += self._included(batch, wanted)
            if len(batch) < _BATCH or len(scan.found) > limit:
                return scan
        scan.stopped_at = batch[-1]
        return scan

    def _as_they_are(self, rows: list[OrderReadModel], wanted: OrderFilter) -> list[OrderReadModel]:
        """The rows of a page; the orders table replaces those of orders that were open when they were recorded."""
        unfinished = [row.position for row in rows if row.status not in TERMINAL]
        # The history selects by changes also what was recorded late.
        current = self._included(unfinished, replace(wanted, updated_since=None)) if unfinished else ()
        return [*current, *(row for row in rows if row.status in TERMINAL)]

    def _included(self, positions: list[Position], wanted: OrderFilter) -> Iterator[OrderReadModel]:
        return (order for order in map(read_model_of, self.index.read(positions)) if _shows(wanted, order))


def _shows(wanted: OrderFilter, order: OrderReadModel) -> bool:
    """True if the list shows this order of the table.

    A poll by changes must not miss an active order whose last event has a time before the poll and was written after
    it. Terminal and open orders are recorded, and the history selects them by the time of the record.
    """
    if wanted.updated_since and order.status not in TERMINAL and order.status is not Status.OPEN:
        wanted = replace(wanted, updated_since=earlier(wanted.updated_since, _LONGEST_WRITE))
    return wanted.includes(order)


def _page(
    scan: _Scan, rows: list[OrderReadModel], rows_end: Position | None, limit: int, as_of: datetime | None
) -> Page:
    """Merge the orders of the table and of the history. ``rows_end``: the last row, if the history has more.

    ``as_of``: the time of the first page of a poll by changes. A later page must not show a newer change: the client
    polls next from the newest change that it has seen, and would miss the older changes of orders on earlier pages.
    """
    found = {order.order_id: order for order in (*scan.found, *rows)}
    merged = sorted(found.values(), key=lambda order: order.position, reverse=True)
    ends = [end for end in (scan.stopped_at, rows_end) if end is not None]
    if ends:
        # Behind its end, a source may have orders that come before the next ones of the other source.
        merged = [order for order in merged if order.position >= max(ends)]
    end = merged[limit - 1].position if len(merged) > limit else max(ends, default=None)
    page = [order for order in merged[:limit] if as_of is None or order.updated_at <= as_of]
    return Page(page, cursors.encode(*end, as_of) if end else None)
