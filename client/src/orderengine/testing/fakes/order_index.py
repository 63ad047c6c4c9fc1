"""The indexes of the list of orders in memory."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.orders import Order
from chalicelib.domain.read_model import Position, read_model_of
from chalicelib.domain.status import Status
from chalicelib.ports.orders import StoredOrder
from orderengine.testing.fakes.orders import FakeOrderStore

_MINUTE_MS = 60_000


class FakeOrderIndex:
    """``OrderIndex`` on the orders in memory. ``read_orders`` counts the orders that callers have read."""

    def __init__(self, orders: FakeOrderStore, now_ms: Callable[[], int]) -> None:
        self._orders = orders
        self._now_ms = now_ms
        self.read_orders = 0

    def unsettled(self, user_id: str | None) -> list[Position]:
        found = self._positions(
            stored
            for stored in self._stored()
            if (self._is_unsettled(stored) if user_id is None else self._is_unsettled_of(user_id, stored))
        )
        return list(found)

    def newest_of(self, user_id: str, since: datetime | None, before: Position | None) -> Iterator[Position]:
        for position in self._positions(one for one in self._stored() if one.order.spec.user_id == user_id):
            if (before is None or position < before) and (since is None or position[0] >= since):
                yield position

    def with_deadline(self, after_ms: int, until_ms: int, limit: int) -> list[StoredOrder]:
        found = [
            (stored.deadline_ms, number, stored)
            for number, stored in enumerate(self._stored())
            if stored.deadline_ms is not None and after_ms <= stored.deadline_ms <= until_ms
            if not stored.order.is_terminal and stored.order.status is not Status.OPEN
        ]
        return [stored for *_, stored in sorted(found, reverse=True)[:limit]]

    def read(self, positions: Sequence[Position]) -> list[Order]:
        self.read_orders += len(positions)
        kept = [self._orders.get(str(order_id)) for _, order_id in positions]
        return [stored.order for stored in kept if stored]

    def _stored(self) -> list[StoredOrder]:
        return list(self._orders._kept.values())

    def _is_unsettled_of(self, user_id: str, stored: StoredOrder) -> bool:
        order = stored.order
        recent = self._now_ms() - to_ms(order.events[0].at) <= 60 * _MINUTE_MS
        unfinished = not order.is_terminal or stored.deadline_ms is not None
        return order.spec.user_id == user_id and (recent or unfinished)

    def _is_unsettled(self, stored: StoredOrder) -> bool:
        order, now_ms = stored.order, self._now_ms()
        if order.status is Status.OPEN:
            return stored.is_due(now_ms + 6 * _MINUTE_MS)
        ended_ms = to_ms(order.events[-1].at)
        return not order.is_terminal or stored.deadline_ms is not None or ended_ms >= now_ms - 10 * _MINUTE_MS

    def _positions(self, found: Iterator[StoredOrder]) -> Iterator[Position]:
        return iter(sorted((read_model_of(stored.order).position for stored in found), reverse=True))
