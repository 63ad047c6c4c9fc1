"""A history in memory that behaves as the one in Postgres does."""

from typing import Any
from uuid import UUID

from chalicelib.domain.orders import Event, Order
from chalicelib.encoding.record import record_of
from chalicelib.encoding.times import from_text
from chalicelib.history import cursors
from chalicelib.ports import HistoryUnavailableError, OrderFilter, Page


class FakeHistory:
    """``History`` in memory. While ``down`` is set, every call fails as without Postgres.

    ``events`` are those recorded, by order id and ``seq``.
    """

    def __init__(self) -> None:
        self.down = False
        self.events: dict[str, dict[int, Event]] = {}
        self._orders: dict[str, Order] = {}

    def record(self, order: Order) -> None:
        self.ping()
        kept = self._orders.get(order.order_id)
        if kept is None or order.seq > kept.seq:
            self._orders[order.order_id] = order
        recorded = self.events.setdefault(order.order_id, {})
        for event in order.events:
            recorded.setdefault(event.seq, event)

    def page(self, wanted: OrderFilter, limit: int, cursor: str | None) -> Page:
        after = None if cursor is None else cursors.decode(cursor)
        self.ping()
        found = [order for order in self._orders.values() if _meets(order, wanted)]
        rest = [order for order in found if after is None or _position(order) < after]
        records = [record_of(order) for order in sorted(rest, key=_position, reverse=True)[:limit]]
        more = len(rest) > limit
        return Page(records, cursors.encode(records[-1]["createdAt"], records[-1]["orderId"]) if more else None)

    def ping(self) -> None:
        if self.down:
            raise HistoryUnavailableError("the fake history is down")


def _position(order: Order) -> cursors.Position:
    return from_text(record_of(order)["createdAt"]), UUID(order.order_id)


def _meets(order: Order, wanted: OrderFilter) -> bool:
    created_at, spec = _position(order)[0], order.spec
    pairs: list[tuple[Any, Any]] = [
        (wanted.user_id, spec.user_id),
        (wanted.status, order.standing.value),
        (wanted.type, spec.type.value),
        (wanted.pair, spec.pair.name),
        (wanted.client_order_id, spec.client_order_id),
    ]
    return (
        all(asked is None or asked == is_so for asked, is_so in pairs)
        and (wanted.since is None or wanted.since <= created_at)
        and (wanted.until is None or created_at < wanted.until)
    )
