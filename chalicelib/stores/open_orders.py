"""The open orders in DynamoDB, by what triggers them: a sparse index of which only the crossed range is read."""

import logging
from collections.abc import Iterator
from decimal import Decimal

from pynamodb.exceptions import AttributeDeserializationError

from chalicelib.domain.conditions import launch_key, price_key
from chalicelib.domain.tokens import Pair, Side
from chalicelib.ports.orders import StoredOrder, UnreadableOrderError
from chalicelib.settings import Settings
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.models import OrderItem
from chalicelib.stores.orders import stored_order_of

log = logging.getLogger(__name__)

#: Orders that one query brings; each has its events with it.
_PAGE = 200


class DynamoOpenOrderIndex:
    """``OpenOrderIndex`` on DynamoDB. See ``ports.OpenOrderIndex`` for what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings) -> None:
        self._item = bound(OrderItem, settings.orders_table, connection)

    def crossed(self, pair: Pair, side: Side, price: Decimal) -> Iterator[StoredOrder]:
        at, sells = self._item.watch_level, side is Side.SELL
        rows = self._item.waiting.query(
            price_key(pair, side), at <= price if sells else at >= price, scan_index_forward=sells, page_size=_PAGE
        )
        return _readable(rows)

    def for_launch(self, mint: str) -> Iterator[StoredOrder]:
        return _readable(self._item.waiting.query(launch_key(mint), page_size=_PAGE))


def _readable(rows: Iterator[OrderItem]) -> Iterator[StoredOrder]:
    """One that cannot be read keeps nobody behind it from being found."""
    while True:
        try:
            yield stored_order_of(next(rows))
        except StopIteration:
            return
        except (AttributeDeserializationError, UnreadableOrderError):
            log.exception("a waiting order cannot be read")
