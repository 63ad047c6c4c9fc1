"""The groups of an order's subscribers, in the streams table."""

from collections.abc import Callable, Collection

from pynamodb.exceptions import DoesNotExist

from chalicelib.domain.errors import ContendedError
from chalicelib.ports.fan_out import GroupLeasedError, SubscriberGroup
from chalicelib.ports.streams import Subscriber
from chalicelib.settings import Settings
from chalicelib.stores.conditions import delete_if, has_less, update_if
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.models import StreamItem
from chalicelib.stores.subscribers import from_set, to_set

#: A lease that is neither taken nor found taken has ended in between; the next try takes it.
_MAX_LEASE_TRIES = 5


class DynamoSubscriberGroups:
    """``SubscriberGroups`` on DynamoDB. The port states what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings, now_ms: Callable[[], int]) -> None:
        self._item = bound(StreamItem, settings.streams_table, connection)
        self._now_ms = now_ms

    def get(self, order_id: str, number: int) -> SubscriberGroup | None:
        try:
            return _group(order_id, number, self._item.get(_key(order_id, number), consistent_read=True))
        except DoesNotExist:
            return None

    def add(
        self,
        order_id: str,
        number: int,
        joining: Collection[Subscriber],
        expires_at: int,
        full_at: int | None = None,
    ) -> bool:
        model, item = self._item, self._item(_key(order_id, number))
        actions = [model.joining.add(to_set(joining)), model.version.add(1), model.expires_at.set(expires_at)]
        if full_at is None:
            return update_if(item, actions, None)
        return update_if(item, actions, has_less(model.subscribers, full_at) & has_less(model.joining, full_at))

    def remove(self, order_id: str, number: int, subscribers: Collection[Subscriber]) -> None:
        model, texts = self._item, to_set(subscribers)
        actions = [model.subscribers.delete(texts), model.joining.delete(texts), model.version.add(1)]
        update_if(model(_key(order_id, number)), actions, model.id.exists())

    def lease(self, order_id: str, number: int, owner: str, until_ms: int) -> SubscriberGroup | None:
        model, key = self._item, _key(order_id, number)
        is_mine_or_over = (model.lease_owner == owner) | (model.lease_until < self._now_ms())
        free = model.lease_owner.does_not_exist() | is_mine_or_over
        for _ in range(_MAX_LEASE_TRIES):
            item = model(key)
            take = [model.lease_owner.set(owner), model.lease_until.set(until_ms)]
            if update_if(item, take, model.id.exists() & free):
                return _group(order_id, number, item)
            if update_if(model(key), [model.version.add(1)], model.lease_owner.exists()):
                raise GroupLeasedError(key)
            if self.get(order_id, number) is None:
                return None
        raise ContendedError(key)

    def renew(self, order_id: str, number: int, owner: str, until_ms: int) -> SubscriberGroup | None:
        model = self._item
        item = model(_key(order_id, number))
        if update_if(item, [model.lease_until.set(until_ms)], model.lease_owner == owner):
            return _group(order_id, number, item)
        return None

    def replace(self, found: SubscriberGroup, left: SubscriberGroup, owner: str) -> bool:
        model = self._item
        item = model(_key(found.order_id, found.number))
        unchanged = (model.version == found.version) & (model.lease_owner == owner)
        if left.is_empty:
            return delete_if(item, unchanged)
        actions = [
            model.subscribers.set(to_set(left.members)) if left.members else model.subscribers.remove(),
            model.joining.set(to_set(left.joining)) if left.joining else model.joining.remove(),
            model.delivered.set(left.delivered),
            model.lease_owner.remove(),
            model.lease_until.remove(),
        ]
        return update_if(item, actions, unchanged)


def _key(order_id: str, number: int) -> str:
    return f"group#{order_id}#{number}"


def _group(order_id: str, number: int, item: StreamItem) -> SubscriberGroup:
    return SubscriberGroup(
        order_id,
        number,
        members=from_set(item.subscribers),
        joining=from_set(item.joining),
        delivered=int(item.delivered or 0),
        version=int(item.version or 0),
    )
