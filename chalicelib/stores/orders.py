"""The orders table. Each change is one conditional update that appends its events and returns the subscribers."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from pynamodb.exceptions import (
    AttributeDeserializationError,
    CancellationReason,
    DoesNotExist,
    PutError,
    TransactWriteError,
    UpdateError,
)
from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action

from chalicelib.codec.events import event_to_json
from chalicelib.codec.orders import spec_to_json
from chalicelib.codec.times import to_ms, to_text
from chalicelib.domain.orders import Order
from chalicelib.domain.rate_limit import SlotReservation
from chalicelib.domain.status import OrderType
from chalicelib.ports.orders import (
    Followers,
    IdempotencyKey,
    KeyTakenError,
    Lease,
    LostRaceError,
    StoredOrder,
    UnreadableOrderError,
)
from chalicelib.ports.streams import MAX_DIRECT_SUBSCRIBERS, Subscriber
from chalicelib.settings import Settings
from chalicelib.stores.conditions import condition_failed, refused_by_condition, save_together, update_if
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.index_actions import deadline_actions, open_actions
from chalicelib.stores.models import IdempotencyItem, OrderItem, WrittenOrderItem
from chalicelib.stores.order_items import (
    OrderItems,
    deadline_shard,
    fan_out_of,
    open_index_key,
    unfinished_user,
)
from chalicelib.stores.order_queries import OrderQueries
from chalicelib.stores.subscribers import from_set, to_set

#: No key of a client has this form: those begin with a user.
_PING_KEY = "#ping"


class DynamoOrderStore(OrderQueries):
    """``OrderStore`` on DynamoDB. The port states what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings, now_ms: Callable[[], int]) -> None:
        self._connection = connection
        self._items = OrderItems(connection, settings)
        super().__init__(self._items.model)
        self._written = bound(WrittenOrderItem, settings.orders_table, connection)
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
        watch_key, watch_level = open_index_key(order) or (None, None)
        item = self._item(
            order.order_id,
            user_id=order.spec.user_id,
            spec=spec_to_json(order.spec),
            status=order.current_status.value,
            seq=order.seq,
            events=[event_to_json(event) for event in order.events],
            created_at=to_text(order.events[0].at),
            subscribers=to_set(subscribers) or None,
            deadline_shard=deadline_shard(order),
            deadline_at=deadline_ms,
            open_user_id=unfinished_user(order),
            watch_key=watch_key,
            watch_level=watch_level,
            watch_amount=order.spec.amount_in if order.spec.type is OrderType.LIMIT else None,
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
            if not condition_failed(error):
                raise
            # If the order exists, the SDK has retried a write whose answer was lost.
            if isinstance(error, TransactWriteError) and not refused_by_condition(error.cancellation_reasons[0]):
                raise KeyTakenError(self._taken(error.cancellation_reasons[1:])) from error
        return StoredOrder(order, frozenset(subscribers), deadline_ms=deadline_ms, reservation=reservation)

    def _create_with_keys(self, item: OrderItem, fresh: Condition, keys: Sequence[IdempotencyKey]) -> None:
        # DynamoDB deletes expired items late, so an expired key may still exist.
        free = self._key.id.does_not_exist() | (self._key.expires_at < self._now_ms() // 1000)
        write = [(item, fresh), *((self._key_item(key), free) for key in keys)]
        save_together(self._connection, write)

    def _key_item(self, key: IdempotencyKey) -> IdempotencyItem:
        return self._key(key.id, body_hash=key.body_hash, order_id=key.order_id, expires_at=key.expires_at)

    def _taken(self, reasons: Sequence[CancellationReason | None]) -> list[IdempotencyKey]:
        rows = [reason.raw_item for reason in reasons if reason and refused_by_condition(reason)]
        return [_key_of(self._key.from_raw_data(row)) for row in rows if row]

    def ping(self) -> None:
        self._key(_PING_KEY, body_hash="", order_id="", expires_at=self._now_ms() // 1000).save()

    def find_key(self, key_id: str) -> IdempotencyKey | None:
        try:
            row = self._key.get(key_id, consistent_read=True)
        except DoesNotExist:
            return None
        if row.expires_at < self._now_ms() // 1000:
            return None
        return _key_of(row)

    def get(self, order_id: str, of_user: str | None = None) -> StoredOrder | None:
        try:
            item = (
                self._item.get(order_id, consistent_read=True) if of_user is None else self._find(order_id, of_user)
            )
            return self._items.stored_order(item) if item else None
        except DoesNotExist:
            return None
        except AttributeDeserializationError as error:
            raise UnreadableOrderError(order_id) from error

    def _find(self, order_id: str, user_id: str) -> OrderItem | None:
        """The item, filtered by DynamoDB: one of another user is not sent, however large it is."""
        is_mine = (self._item.user_id == user_id) | self._item.user_id.does_not_exist()
        return next(iter(self._item.query(order_id, filter_condition=is_mine, consistent_read=True)), None)

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
            *deadline_actions(model, after, deadline_ms),
            *open_actions(model, after),
        ]
        if new_events:
            actions.append(model.events.set(model.events.append(new_events)))
        if lease:
            actions += [model.lease_owner.set(lease.owner), model.lease_until.set(lease.until_ms)]
        else:
            actions += [model.lease_owner.remove(), model.lease_until.remove()]
        if before.reservation:
            actions += [
                model.start_slot.set(before.reservation.slot),
                model.starts_at.set(before.reservation.at_ms),
                model.start_ahead.set(before.reservation.ahead),
            ]
        free = model.lease_owner.does_not_exist() | (model.lease_until < self._now_ms())
        if holder:
            free = free | (model.lease_owner == holder.owner)
        item = self._written(after.order_id)
        try:
            unmoved = model.seq == before.order.seq
            item.update(actions, condition=unmoved if over_lease else unmoved & free)
        except UpdateError as error:
            if not condition_failed(error):
                raise
            return self._own_write(after, lease, deadline_ms, error)
        return StoredOrder(
            after,
            from_set(item.subscribers),
            before.published,
            lease,
            deadline_ms,
            before.reservation,
            *fan_out_of(item, before.followers),
        )

    def _own_write(
        self, after: Order, lease: Lease | None, deadline_ms: int | None, error: UpdateError
    ) -> StoredOrder:
        """The SDK retries a write whose answer was lost. If the item is as this write made it, no race was lost."""
        found = self.get(after.order_id)
        mine = found and (found.order, found.lease, found.deadline_ms) == (after, lease, deadline_ms)
        if found is None or not mine:
            raise LostRaceError(after.order_id, found) from error
        return found

    def set_deadline(self, stored: StoredOrder, deadline_ms: int | None) -> None:
        order = stored.order
        actions = [self._item.published.set(stored.published), *deadline_actions(self._item, order, deadline_ms)]
        update_if(self._item(order.order_id), actions, self._item.seq == order.seq)

    def note_late_push(self, stored: StoredOrder, at: datetime) -> None:
        model, at_ms = self._item, to_ms(at)
        actions = [model.late_after.set(model.late_after | stored.published), model.late_at.set(at_ms)]
        if stored.order.is_terminal:
            actions.append(model.ended_at.set(at_ms))
        self._change(stored.order.order_id, *actions)

    def join(self, order_id: str, subscribers: Collection[Subscriber], seq: int) -> bool:
        add = self._item.subscribers.add(to_set(subscribers))
        # The bound is no exact one: a write that the SDK retries must not count the subscribers that it has added.
        is_small = size(self._item.subscribers) < 2 * MAX_DIRECT_SUBSCRIBERS  # type: ignore[no-untyped-call]
        has_room = self._item.subscribers.does_not_exist() | is_small
        return update_if(self._item(order_id), [add], (self._item.seq == seq) & has_room)

    def add_groups(self, order_id: str, numbers: Collection[int]) -> None:
        self._change(order_id, self._item.groups.add(set(numbers)))

    def remove_group(self, order_id: str, number: int) -> None:
        self._change(order_id, self._item.groups.delete({number}))

    def mark_followers_subscribed(self, order_id: str) -> None:
        self._change(order_id, self._item.followers.set(Followers.SUBSCRIBED.value))

    def leave(self, order_id: str, subscribers: Collection[Subscriber]) -> None:
        self._change(order_id, self._item.subscribers.delete(to_set(subscribers)))

    def _change(self, order_id: str, *actions: Action) -> None:
        """Change what the engine knows about an order, unless there is no such order."""
        update_if(self._item(order_id), actions, self._item.order_id.exists())


def _key_of(row: IdempotencyItem) -> IdempotencyKey:
    return IdempotencyKey(row.id, row.body_hash, row.order_id, int(row.expires_at))
