"""The queries of the order store: what its indexes know about unfinished and overdue orders."""

import itertools
from collections.abc import Iterator
from datetime import datetime

from chalicelib.codec.times import from_text, to_ms, to_text
from chalicelib.ports.orders import HistoryLag
from chalicelib.stores.models import OrderItem, UnfinishedIndex
from chalicelib.stores.order_items import ACTIVE_SHARDS, HISTORY_SHARD, OPEN_SHARD, open_user, unrecorded_user

#: Behind every time as text.
_NO_END = "A"
#: Index entries per query. They hold keys alone.
_PAGE = 1000


class OrderQueries:
    """The part of ``OrderStore`` that reads indexes alone. The port states what each call promises."""

    def __init__(self, model: type[OrderItem]) -> None:
        self._item = model

    def due(self, now_ms: int, limit: int, patience_ms: int = 0) -> list[str]:
        active = sorted(row for shard in ACTIVE_SHARDS for row in self._due(shard, now_ms - patience_ms, limit))
        others = (self._due(shard, now_ms, limit) for shard in (OPEN_SHARD, HISTORY_SHARD))
        return [order_id for _, order_id in itertools.chain(active[:limit], *others)]

    def due_open(self, now_ms: int, limit: int) -> list[str]:
        return [order_id for _, order_id in self._due(OPEN_SHARD, now_ms, limit)]

    def _due(self, shard: str, now_ms: int, limit: int) -> list[tuple[float, str]]:
        rows = self._item.deadline.query(shard, self._item.deadline_at <= now_ms, limit=limit)
        return [(row.deadline_at or 0, row.order_id) for row in rows]

    def unfinished_of(
        self,
        user_id: str,
        before: datetime | None = None,
        since: datetime | None = None,
        *,
        with_unrecorded: bool = False,
    ) -> list[str]:
        # A query takes one range. The engine asks for a later start only to go on with a list that it has begun.
        first, end = to_text(since) if since else "", to_text(before) if before else _NO_END
        created_at = self._item.created_at
        is_within = created_at.between(first, end) if since else created_at < end
        # Open orders first: an order that triggers between the queries is then seen twice instead of missed.
        users = [open_user(user_id), user_id, *([unrecorded_user(user_id)] if with_unrecorded else [])]
        rows = [row for user in users for row in self._item.unfinished.query(user, is_within) if row.created_at < end]
        return list(dict.fromkeys(row.order_id for row in sorted(rows, key=lambda row: row.created_at)))

    def ended_of(self, user_id: str, since: datetime) -> Iterator[str]:
        is_later = self._item.ended_at >= to_ms(since)
        return (row.order_id for row in self._item.ended.query(user_id, is_later, page_size=_PAGE))

    def count_active(self, user_id: str, limit: int) -> int:
        return self._count(user_id, limit)

    def count_open(self, user_id: str, limit: int) -> int:
        return self._count(open_user(user_id), limit)

    def _count(self, user: str, limit: int) -> int:
        """Count in one request: pynamodb's own count reads page after page beyond the limit."""
        found = self._item._get_connection().query(
            user, index_name=UnfinishedIndex.Meta.index_name, limit=limit, select="COUNT"
        )
        return int(found["Count"])

    def has_deadlines(self) -> bool:
        return any(
            next(iter(self._item.deadline.query(shard, limit=1)), None) is not None
            for shard in (OPEN_SHARD, *ACTIVE_SHARDS, HISTORY_SHARD)
        )

    def history_lag(self, limit: int) -> HistoryLag:
        rows = list(self._item.deadline.query(HISTORY_SHARD, limit=limit))
        oldest = min((row.created_at for row in rows), default=None)
        return HistoryLag(len(rows), from_text(oldest) if oldest else None)
