"""The indexes of the orders table from which lists are made, and the orders that workers execute are found."""

import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from pynamodb.exceptions import AttributeDeserializationError

from chalicelib.codec.times import from_ms, from_text, to_text
from chalicelib.domain.orders import Order
from chalicelib.domain.read_model import Position
from chalicelib.ports.orders import StoredOrder, UnreadableOrderError
from chalicelib.settings import Settings
from chalicelib.stores.connection import SharedConnection
from chalicelib.stores.models import OrderItem
from chalicelib.stores.order_items import (
    ACTIVE_SHARDS,
    HISTORY_SHARD,
    OPEN_SHARD,
    OrderItems,
    ended_shard,
    open_user,
    unrecorded_user,
)

log = logging.getLogger(__name__)

#: A user's order of this age is in the history, unless its item says that it is not recorded.
_RECENT = timedelta(hours=1)
#: An open order that is not recorded has a deadline within this time; ``OpenOrders`` doubles its pauses up to that.
_MAX_OPEN_PAUSE_MS = 360_000
#: Index entries per query. They hold keys alone.
_PAGE = 1000


class DynamoOrderIndex:
    """``OrderIndex`` on DynamoDB. The port states what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings, now_ms: Callable[[], int]) -> None:
        self._items = OrderItems(connection, settings)
        self._now_ms = now_ms

    def unsettled(self, user_id: str | None) -> list[Position]:
        rows = self._unsettled() if user_id is None else self._unsettled_of(user_id)
        return sorted({_position(row) for row in rows}, reverse=True)

    def _unsettled_of(self, user_id: str) -> Iterator[OrderItem]:
        # An order that reopens after the first query and before the second is found by the third.
        partitions = (open_user(user_id), user_id, open_user(user_id), unrecorded_user(user_id))
        for user in partitions:
            yield from self._items.model.unfinished.query(user, page_size=_PAGE)
        recent = to_text(from_ms(self._now_ms()) - _RECENT)
        created_at = self._items.model.created_at
        yield from self._items.model.of_user.query(user_id, created_at >= recent, page_size=_PAGE)

    def _unsettled(self) -> Iterator[OrderItem]:
        model, now_ms = self._items.model, self._now_ms()
        soon = model.deadline_at <= now_ms + _MAX_OPEN_PAUSE_MS
        yield from model.deadline.query(OPEN_SHARD, soon, page_size=_PAGE)
        for shard in (*ACTIVE_SHARDS, HISTORY_SHARD, *_recent_ended_shards(now_ms)):
            yield from model.deadline.query(shard, page_size=_PAGE)

    def newest_of(self, user_id: str, since: datetime | None, before: Position | None) -> Iterator[Position]:
        created_at = self._items.model.created_at
        newest = to_text(before[0]) if before else "9"
        condition = created_at.between(to_text(since) if since else "0", newest)
        rows = self._items.model.of_user.query(user_id, condition, scan_index_forward=False, page_size=_PAGE)
        # The index has no sequence among the orders of one millisecond.
        for _, group in itertools.groupby(map(_position, rows), key=lambda position: position[0]):
            yield from (position for position in sorted(group, reverse=True) if before is None or position < before)

    def with_deadline(self, after_ms: int, until_ms: int, limit: int) -> list[StoredOrder]:
        model = self._items.model
        is_between = model.deadline_at.between(after_ms, until_ms)
        rows = [
            row
            for shard in ACTIVE_SHARDS
            for row in model.deadline.query(shard, is_between, scan_index_forward=False, limit=limit)
        ]
        latest = sorted(rows, key=lambda row: row.deadline_at or 0, reverse=True)[:limit]
        return list(self._readable([row.order_id for row in latest]))

    def read(self, positions: Sequence[Position]) -> list[Order]:
        ids = [str(order_id) for _, order_id in positions]
        found = {stored.order.order_id: stored.order for stored in self._readable(ids)}
        return [found[order_id] for order_id in ids if order_id in found]

    def _readable(self, ids: Sequence[str]) -> Iterator[StoredOrder]:
        rows = iter(self._items.model.batch_get(ids, consistent_read=True))
        while True:
            try:
                yield self._items.stored_order(next(rows))
            except StopIteration:
                return
            except (AttributeDeserializationError, UnreadableOrderError):
                log.exception("order left out, because it is unreadable")


def _position(row: OrderItem) -> Position:
    return from_text(row.created_at), UUID(row.order_id)


def _recent_ended_shards(now_ms: int) -> list[str]:
    """The partitions of the orders that ended within the last ten minutes at least."""
    now = from_ms(now_ms)
    return list(dict.fromkeys(ended_shard(now - timedelta(minutes=age)) for age in (0, 10)))
