"""The index of open orders in memory."""

from collections.abc import Iterator
from decimal import Decimal

from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.status import Status
from chalicelib.domain.tokens import Pair, Side
from chalicelib.ports.orders import StoredOrder
from orderengine.testing.fakes.orders import FakeOrderStore


class FakeOpenOrderIndex:
    """``OpenOrderIndex`` in memory. ``taken`` counts the orders that callers have consumed."""

    def __init__(self, orders: FakeOrderStore) -> None:
        self._orders = orders
        self.taken = 0

    def crossed(
        self, pair: Pair, side: Side, price: Decimal, max_amount: int = MAX_BASE_UNITS
    ) -> Iterator[StoredOrder]:
        def accepts(limit: Decimal) -> bool:
            return limit <= price if side is Side.SELL else limit >= price

        found = [
            (spec.limit_price, stored.order.order_id, stored)
            for stored in self._open()
            if (spec := stored.order.spec).limit_price is not None
            and (spec.pair.name, spec.side) == (pair.name, side)
            and accepts(spec.limit_price)
            and spec.amount_in <= max_amount
        ]
        return self._each(sorted(found, reverse=side is Side.BUY, key=lambda one: one[:2]))

    def for_launch(self, mint: str) -> Iterator[StoredOrder]:
        return self._each(
            sorted(
                (
                    (stored.order.events[0].at, stored.order.order_id, stored)
                    for stored in self._open()
                    if stored.order.spec.launch and stored.order.spec.launch.mint == mint
                ),
                key=lambda one: one[:2],
            )
        )

    def _open(self) -> list[StoredOrder]:
        return [one for one in list(self._orders._kept.values()) if one.order.status is Status.OPEN]

    def _each(self, found: list[tuple[object, str, StoredOrder]]) -> Iterator[StoredOrder]:
        for _, _, stored in found:
            self.taken += 1
            yield stored
