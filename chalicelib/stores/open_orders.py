"""The index of open orders in DynamoDB. It is sparse, and a look reads the crossed price range alone."""

import logging
from collections.abc import Iterator
from decimal import Decimal

from pynamodb.exceptions import AttributeDeserializationError

from chalicelib.codec.watches import watch_to_key
from chalicelib.domain.conditions import LaunchWatch, PriceWatch
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.tokens import Pair, Side
from chalicelib.ports.orders import StoredOrder, UnreadableOrderError
from chalicelib.settings import Settings
from chalicelib.stores.connection import SharedConnection
from chalicelib.stores.models import OrderItem
from chalicelib.stores.order_items import OrderItems

log = logging.getLogger(__name__)

#: Orders that a query reads; each comes with its events. DynamoDB reads no more than 1 MB.
_PAGE = 500


class DynamoOpenOrderIndex:
    """``OpenOrderIndex`` on DynamoDB. The port states what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings) -> None:
        self._items = OrderItems(connection, settings)

    def crossed(
        self, pair: Pair, side: Side, price: Decimal, max_amount: int = MAX_BASE_UNITS
    ) -> Iterator[StoredOrder]:
        model, sells = self._items.model, side is Side.SELL
        limit, amount = model.watch_level, model.watch_amount
        rows = model.open_orders.query(
            watch_to_key(PriceWatch(pair, side)),
            limit <= price if sells else limit >= price,
            # DynamoDB reads the orders that are too large for every pool, and sends none of them.
            amount.does_not_exist() | (amount <= max_amount),
            scan_index_forward=sells,
            page_size=_PAGE,
        )
        return self._readable(rows)

    def for_launch(self, mint: str) -> Iterator[StoredOrder]:
        return self._readable(self._items.model.open_orders.query(watch_to_key(LaunchWatch(mint)), page_size=_PAGE))

    def _readable(self, rows: Iterator[OrderItem]) -> Iterator[StoredOrder]:
        """The orders of these items. An unreadable item must not hide the orders behind it."""
        while True:
            try:
                yield self._items.stored_order(next(rows))
            except StopIteration:
                return
            except (AttributeDeserializationError, UnreadableOrderError):
                log.exception("open order skipped, because it is unreadable")
