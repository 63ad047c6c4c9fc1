"""The part of each write that keeps an order in the right partitions of the indexes."""

from pynamodb.expressions.update import Action

from chalicelib.codec.times import to_ms
from chalicelib.domain.orders import Order
from chalicelib.domain.status import OrderType
from chalicelib.stores.models import OrderItem
from chalicelib.stores.order_items import (
    deadline_shard,
    ended_shard,
    open_index_key,
    unfinished_user,
    unrecorded_user,
)


def deadline_actions(model: type[OrderItem], order: Order, deadline_ms: int | None) -> list[Action]:
    """Set or clear the deadline. A deadline on a terminal order means that the history may lack the order.

    Each later write of a terminal order adds the time of its end where an earlier release has left it out.
    """
    if not order.is_terminal:
        return _deadline(model, deadline_ms, deadline_shard(order))
    ended_at = order.events[-1].at
    # A late push may have moved it.
    ended = model.ended_at.set(model.ended_at | to_ms(ended_at))
    if deadline_ms is not None:
        unrecorded = model.open_user_id.set(unrecorded_user(order.spec.user_id))
        return [ended, unrecorded, *_deadline(model, deadline_ms, deadline_shard(order))]
    return [ended, model.open_user_id.remove(), *_deadline(model, to_ms(ended_at), ended_shard(ended_at))]


def open_actions(model: type[OrderItem], order: Order) -> list[Action]:
    """Move an order between the open and the active orders. Market orders never move between them."""
    if order.spec.type is OrderType.MARKET:
        return []
    user = [] if order.is_terminal else [model.open_user_id.set(unfinished_user(order))]
    key = open_index_key(order)
    if key is None:
        return [*user, model.watch_key.remove(), model.watch_level.remove()]
    return [*user, model.watch_key.set(key[0]), model.watch_level.set(key[1])]


def _deadline(model: type[OrderItem], at_ms: int | None, shard: str) -> list[Action]:
    if at_ms is None:
        return [model.deadline_at.remove(), model.deadline_shard.remove()]
    return [model.deadline_at.set(at_ms), model.deadline_shard.set(shard)]
