"""Items of the orders table, and the orders that they hold."""

from datetime import datetime
from decimal import Decimal

from pynamodb.exceptions import DoesNotExist

from chalicelib.codec.events import event_from_json
from chalicelib.codec.orders import UNREADABLE, spec_from_dict, spec_from_json
from chalicelib.codec.times import from_ms, to_ms, to_text
from chalicelib.codec.watches import watch_to_key
from chalicelib.domain.errors import IllegalTransitionError
from chalicelib.domain.orders import Order
from chalicelib.domain.rate_limit import SlotReservation
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import Status
from chalicelib.ports.orders import Followers, LatePush, Lease, StoredOrder, UnreadableOrderError
from chalicelib.settings import Settings
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.models import LegacySpecItem, OrderItem, WrittenOrderItem
from chalicelib.stores.subscribers import from_set

#: Partitions of the deadline index. Terminal orders that lack their history have one of their own, and open orders.
ACTIVE_SHARDS = ("0", "1", "2", "3")
HISTORY_SHARD = "history"
OPEN_SHARD = "open"
#: Begins the partitions of the orders that have ended and are recorded, one for each ten minutes. No deadline ends
#: there: the list of orders reads the last of them, because a record may follow its order's end by a moment.
_ENDED_PREFIX = "ended#"
#: Mark the user of an open order, and of a terminal one that is not recorded, in the index of unfinished orders. User
#: ids have no such ending.
_OPEN_SUFFIX = "#open"
_UNRECORDED_SUFFIX = "#unrecorded"


class OrderItems:
    """The orders table of a deployment, as items."""

    def __init__(self, connection: SharedConnection, settings: Settings) -> None:
        self.model = bound(OrderItem, settings.orders_table, connection)
        self._legacy = bound(LegacySpecItem, settings.orders_table, connection)

    def stored_order(self, item: OrderItem) -> StoredOrder:
        """:raises UnreadableOrderError: if the item does not hold an order."""
        try:
            events = tuple(event_from_json(text) for text in item.events)
            order = Order.replayed(item.order_id, self._spec(item), events)
            lease = Lease(item.lease_owner, int(item.lease_until or 0)) if item.lease_owner else None
            subscribers, deadline_ms = from_set(item.subscribers), _deadline_ms(item)
            return StoredOrder(
                order,
                subscribers,
                int(item.published),
                lease,
                deadline_ms,
                _reservation(item),
                *fan_out_of(item),
                _late_push(item),
            )
        except (*UNREADABLE, IllegalTransitionError) as error:
            raise UnreadableOrderError(item.order_id) from error

    def _spec(self, item: OrderItem) -> OrderSpec:
        """The specification. Items of version 1 have one attribute per field, which a second read fetches."""
        if item.spec is not None:
            return spec_from_json(item.spec)
        try:
            return spec_from_dict(self._legacy.get(item.order_id, consistent_read=True).as_dict())
        except DoesNotExist as error:
            raise UnreadableOrderError(item.order_id) from error


def fan_out_of(
    item: OrderItem | WrittenOrderItem, before: Followers = Followers.NONE
) -> tuple[frozenset[int], Followers]:
    """The groups that an item names, and the state of its followers, which was ``before``."""
    return frozenset(map(int, item.groups or ())), Followers(item.followers or before)


def open_index_key(order: Order) -> tuple[str, Decimal] | None:
    """The key and the position of an order in the index of open orders; ``None`` if it is not open.

    Limit orders are sorted by price, sniper orders by age.
    """
    spec = order.spec
    if order.status is not Status.OPEN:
        return None
    position = Decimal(to_ms(order.events[0].at)) if spec.launch else spec.limit_price or Decimal(0)
    return watch_to_key(spec.watch), position


def unfinished_user(order: Order) -> str:
    """The user in the index of unfinished orders, where open orders have keys of their own."""
    user_id = order.spec.user_id
    return open_user(user_id) if order.status is Status.OPEN else user_id


def open_user(user_id: str) -> str:
    return f"{user_id}{_OPEN_SUFFIX}"


def unrecorded_user(user_id: str) -> str:
    return f"{user_id}{_UNRECORDED_SUFFIX}"


def ended_shard(at: datetime) -> str:
    """The partition of the deadline index that holds the orders that ended in the same ten minutes."""
    return f"{_ENDED_PREFIX}{to_text(at)[:-9]}"


def has_ended_shard(shard: str | None) -> bool:
    """True for an order that needs no more work: the time beside its shard is no deadline."""
    return (shard or "").startswith(_ENDED_PREFIX)


def deadline_shard(order: Order) -> str:
    """The partition of the deadline index that holds the order."""
    if order.is_terminal:
        return HISTORY_SHARD
    if order.status is Status.OPEN:
        return OPEN_SHARD
    return ACTIVE_SHARDS[int(order.order_id[-1], 16) % len(ACTIVE_SHARDS)]


def _deadline_ms(item: OrderItem) -> int | None:
    if item.deadline_at is None or has_ended_shard(item.deadline_shard):
        return None
    return int(item.deadline_at)


def _late_push(item: OrderItem) -> LatePush | None:
    if item.late_after is None or item.late_at is None:
        return None
    return LatePush(int(item.late_after), from_ms(int(item.late_at)))


def _reservation(item: OrderItem) -> SlotReservation | None:
    if item.start_slot is None:
        return None
    return SlotReservation(int(item.start_slot), int(item.starts_at or 0), bool(item.start_ahead))
