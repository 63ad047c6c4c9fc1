"""The orders table. Each change is one conditional update that appends its events and returns the subscribers."""

import itertools
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from typing import Any

from pynamodb.exceptions import AttributeDeserializationError, DoesNotExist, PutError, TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.codec.orders import event_from_json, event_to_json, spec_from_dict, spec_to_dict
from chalicelib.codec.times import from_text, to_ms, to_text
from chalicelib.domain.conditions import launch_key, price_key
from chalicelib.domain.errors import IllegalTransitionError
from chalicelib.domain.orders import Order
from chalicelib.domain.rate_limit import SlotReservation
from chalicelib.domain.status import OrderType, Status
from chalicelib.ports.orders import (
    HistoryLag,
    IdempotencyKey,
    KeyTakenError,
    Lease,
    LostRaceError,
    StoredOrder,
    UnreadableOrderError,
)
from chalicelib.ports.streams import Subscriber
from chalicelib.settings import Settings
from chalicelib.stores.conditions import condition_failed, save_together, update_if
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.models import IdempotencyItem, OrderItem, UserOpenIndex
from chalicelib.stores.subscribers import from_set, to_set

#: The attention index is spread over these partitions; what is over and only lacks its history has its own, and what
#: is open and only expires.
_SHARDS = ("0", "1", "2", "3")
_HISTORY_SHARD = "history"
_OPEN_SHARD = "open"
#: Marks the user of an open order in the index of those that are not over.
_WAITING = "#open"
_SPEC_FIELDS = {
    "userId": "user_id",
    "type": "type",
    "side": "side",
    "tokenIn": "token_in",
    "tokenOut": "token_out",
    "amountIn": "amount_in",
    "slippageBps": "slippage_bps",
    "priority": "priority",
    "clientOrderId": "client_order_id",
    "simulate": "simulate",
    "limitPrice": "limit_price",
    "timeInForce": "time_in_force",
    "expiresAt": "expires_at",
    "launchMint": "launch_mint",
    "launchVenue": "launch_venue",
    "launchMinLiquidity": "launch_min_liquidity",
    "launchMaxPrice": "launch_max_price",
}


class DynamoOrderStore:
    """``OrderStore`` on DynamoDB. See ``ports.OrderStore`` for what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings, now_ms: Callable[[], int]) -> None:
        self._connection = connection
        self._item = bound(OrderItem, settings.orders_table, connection)
        self._key = bound(IdempotencyItem, settings.idempotency_table, connection)
        self._now_ms = now_ms

    def create(
        self,
        order: Order,
        deadline_ms: int,
        subscribers: Collection[Subscriber] = (),
        keys: Sequence[IdempotencyKey] = (),
        reservation: SlotReservation | None = None,
    ) -> StoredOrder:
        spec = spec_to_dict(order.spec)
        watch_key, watch_level = waits(order) or (None, None)
        item = self._item(
            order.order_id,
            **{_SPEC_FIELDS[name]: value for name, value in spec.items()},
            status=order.current_status.value,
            seq=order.seq,
            events=[event_to_json(event) for event in order.events],
            created_at=to_text(order.events[0].at),
            subscribers=to_set(subscribers) or None,
            deadline_shard=_shard(order),
            deadline_at=deadline_ms,
            open_user_id=_open_user(order),
            watch_key=watch_key,
            watch_level=watch_level,
            start_slot=reservation.slot if reservation else None,
            starts_at=reservation.at_ms if reservation else None,
            start_ahead=reservation.ahead if reservation else None,
        )
        fresh = self._item.order_id.does_not_exist()
        try:
            if keys:
                self._create_with_keys(item, fresh, keys)
            else:
                item.save(condition=fresh)
        except (PutError, TransactWriteError) as error:
            # A write whose answer was lost is tried again by the SDK and then finds itself.
            kept = self.get(order.order_id) if condition_failed(error) else None
            if kept is None:
                if keys and condition_failed(error):
                    raise KeyTakenError from error
                raise
        return StoredOrder(order, frozenset(subscribers), deadline_ms=deadline_ms, reservation=reservation)

    def _create_with_keys(self, item: OrderItem, fresh: Condition, keys: Sequence[IdempotencyKey]) -> None:
        # Time to live deletes late, so a key that has run out may still be there.
        free = self._key.id.does_not_exist() | (self._key.expires_at < self._now_ms() // 1000)
        write = [(item, fresh), *((self._key_item(key), free) for key in keys)]
        save_together(self._connection, write)

    def _key_item(self, key: IdempotencyKey) -> IdempotencyItem:
        return self._key(key.id, body_hash=key.body_hash, order_id=key.order_id, expires_at=key.expires_at)

    def find_key(self, key_id: str) -> IdempotencyKey | None:
        try:
            row = self._key.get(key_id, consistent_read=True)
        except DoesNotExist:
            return None
        if row.expires_at < self._now_ms() // 1000:
            return None
        return IdempotencyKey(row.id, row.body_hash, row.order_id, int(row.expires_at))

    def get(self, order_id: str) -> StoredOrder | None:
        try:
            return stored_order_of(self._item.get(order_id, consistent_read=True))
        except DoesNotExist:
            return None
        except AttributeDeserializationError as error:
            raise UnreadableOrderError(order_id) from error

    def write(
        self,
        before: StoredOrder,
        after: Order,
        *,
        lease: Lease | None,
        deadline_ms: int | None,
        over_lease: bool = False,
    ) -> StoredOrder:
        model, holder = self._item, lease or before.lease
        new_events = [event_to_json(event) for event in after.events[before.order.seq :]]
        actions: list[Action] = [
            model.status.set(after.current_status.value),
            model.seq.set(after.seq),
            model.published.set(before.published),
            *self._attention(after, deadline_ms),
        ]
        if new_events:
            actions.append(model.events.set(model.events.append(new_events)))
        if lease:
            actions += [model.lease_owner.set(lease.owner), model.lease_until.set(lease.until_ms)]
        else:
            actions += [model.lease_owner.remove(), model.lease_until.remove()]
        if after.is_terminal:
            actions.append(model.open_user_id.remove())
        # Only an order that can wait was or is anywhere else than where it was created.
        elif after.spec.type is not OrderType.MARKET:
            actions.append(model.open_user_id.set(_open_user(after)))
        if after.spec.type is not OrderType.MARKET:
            actions += self._waiting(after)
        if before.reservation:
            actions += [
                model.start_slot.set(before.reservation.slot),
                model.starts_at.set(before.reservation.at_ms),
                model.start_ahead.set(before.reservation.ahead),
            ]
        free = model.lease_owner.does_not_exist() | (model.lease_until < self._now_ms())
        if holder:
            free = free | (model.lease_owner == holder.owner)
        item = model(after.order_id)
        try:
            unmoved = model.seq == before.order.seq
            item.update(actions, condition=unmoved if over_lease else unmoved & free)
        except UpdateError as error:
            if not condition_failed(error):
                raise
            return self._own_write(after, lease, deadline_ms, error)
        return StoredOrder(
            after, from_set(item.subscribers), before.published, lease, deadline_ms, before.reservation
        )

    def _own_write(
        self, after: Order, lease: Lease | None, deadline_ms: int | None, error: UpdateError
    ) -> StoredOrder:
        """A write whose answer was lost is tried again by the SDK and then finds its own work: no race lost."""
        found = self.get(after.order_id)
        mine = found and (found.order, found.lease, found.deadline_ms) == (after, lease, deadline_ms)
        if found is None or not mine:
            raise LostRaceError(after.order_id) from error
        return found

    def set_deadline(self, stored: StoredOrder, deadline_ms: int | None) -> None:
        order = stored.order
        update_if(
            self._item(order.order_id),
            [self._item.published.set(stored.published), *self._attention(order, deadline_ms)],
            self._item.seq == order.seq,
        )

    def join(self, order_id: str, subscribers: Collection[Subscriber], seq: int) -> bool:
        add = self._item.subscribers.add(to_set(subscribers))
        return update_if(self._item(order_id), [add], self._item.seq == seq)

    def leave(self, order_id: str, subscribers: Collection[Subscriber]) -> None:
        remove = self._item.subscribers.delete(to_set(subscribers))
        update_if(self._item(order_id), [remove], self._item.order_id.exists())

    def due(self, now_ms: int, limit: int) -> list[str]:
        kinds = (_SHARDS, (_OPEN_SHARD,), (_HISTORY_SHARD,))
        found = (sorted(row for shard in kind for row in self._due(shard, now_ms, limit))[:limit] for kind in kinds)
        return [order_id for _, order_id in itertools.chain(*found)]

    def due_open(self, now_ms: int, limit: int) -> list[str]:
        return [order_id for _, order_id in self._due(_OPEN_SHARD, now_ms, limit)]

    def _due(self, shard: str, now_ms: int, limit: int) -> list[tuple[float, str]]:
        rows = self._item.attention.query(shard, self._item.deadline_at <= now_ms, limit=limit)
        return [(row.deadline_at or 0, row.order_id) for row in rows]

    def unfinished_of(self, user_id: str) -> list[str]:
        # Those that wait first: one that triggers in between is then seen twice, and not missed.
        rows = [row for user in (f"{user_id}{_WAITING}", user_id) for row in self._item.user_open.query(user)]
        return list(dict.fromkeys(row.order_id for row in sorted(rows, key=lambda row: row.created_at)))

    def count_active(self, user_id: str, limit: int) -> int:
        return self._count(user_id, limit)

    def count_open(self, user_id: str, limit: int) -> int:
        return self._count(f"{user_id}{_WAITING}", limit)

    def _count(self, user: str, limit: int) -> int:
        """In one request: pynamodb's own count goes on past the limit, page by page."""
        found = self._item._get_connection().query(
            user, index_name=UserOpenIndex.Meta.index_name, limit=limit, select="COUNT"
        )
        return int(found["Count"])

    def behind(self, limit: int) -> HistoryLag:
        rows = list(self._item.attention.query(_HISTORY_SHARD, limit=limit))
        oldest = min((row.created_at for row in rows), default=None)
        return HistoryLag(len(rows), from_text(oldest) if oldest else None)

    def _attention(self, order: Order, at_ms: int | None) -> list[Action]:
        model = self._item
        if at_ms is None:
            return [model.deadline_at.remove(), model.deadline_shard.remove()]
        return [model.deadline_at.set(at_ms), model.deadline_shard.set(_shard(order))]

    def _waiting(self, order: Order) -> list[Action]:
        model, waiting = self._item, waits(order)
        if waiting is None:
            return [model.watch_key.remove(), model.watch_level.remove()]
        return [model.watch_key.set(waiting[0]), model.watch_level.set(waiting[1])]


def waits(order: Order) -> tuple[str, Decimal] | None:
    """Where an order stands in the index of those that wait; ``None`` if it does not."""
    spec = order.spec
    if order.status is not Status.OPEN:
        return None
    if spec.launch:
        return launch_key(spec.launch.mint), Decimal(to_ms(order.events[0].at))
    return price_key(spec.pair, spec.side), spec.limit_price or Decimal(0)


def _open_user(order: Order) -> str:
    """No user's id has the ending of those that wait."""
    return f"{order.spec.user_id}{_WAITING if order.status is Status.OPEN else ''}"


def _shard(order: Order) -> str:
    if order.is_terminal:
        return _HISTORY_SHARD
    return _OPEN_SHARD if order.status is Status.OPEN else _SHARDS[int(order.order_id[-1], 16) % len(_SHARDS)]


def stored_order_of(item: OrderItem) -> StoredOrder:
    """The order of an item.

    :raises UnreadableOrderError: if it is none.
    """
    try:
        return _stored_order(item)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError, IllegalTransitionError) as error:
        raise UnreadableOrderError(item.order_id) from error


def _stored_order(item: OrderItem) -> StoredOrder:
    spec: dict[str, Any] = {name: getattr(item, attribute) for name, attribute in _SPEC_FIELDS.items()}
    events = tuple(event_from_json(text) for text in item.events)
    order = Order.replayed(item.order_id, spec_from_dict(spec), events)
    lease = Lease(item.lease_owner, int(item.lease_until or 0)) if item.lease_owner else None
    attention = None if item.deadline_at is None else int(item.deadline_at)
    return StoredOrder(order, from_set(item.subscribers), int(item.published), lease, attention, _reservation(item))


def _reservation(item: OrderItem) -> SlotReservation | None:
    if item.start_slot is None:
        return None
    return SlotReservation(int(item.start_slot), int(item.starts_at or 0), bool(item.start_ahead))
