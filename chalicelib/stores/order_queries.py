"""The queries of the order store: what its indexes know about unfinished and overdue orders."""

import itertools
from datetime import datetime

from chalicelib.codec.times import from_text, to_text
from chalicelib.ports.orders import HistoryLag
from chalicelib.stores.models import OrderItem, UnfinishedIndex
from chalicelib.stores.order_items import ACTIVE_SHARDS, HISTORY_SHARD, OPEN_SHARD, open_user


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

    def unfinished_of(self, user_id: str, before: datetime | None = None) -> list[str]:
        is_older = self._item.created_at < to_text(before) if before else None
        # Open orders first: an order that triggers between the queries is then seen twice instead of missed.
        users = (open_user(user_id), user_id)
        rows = [row for user in users for row in self._item.unfinished.query(user, is_older)]
        return list(dict.fromkeys(row.order_id for row in sorted(rows, key=lambda row: row.created_at)))

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

    def history_lag(self, limit: int) -> HistoryLag:
        rows = list(self._item.deadline.query(HISTORY_SHARD, limit=limit))
        oldest = min((row.created_at for row in rows), default=None)
        return HistoryLag(len(rows), from_text(oldest) if oldest else None)
