"""The use of each connection, and the open sockets of each user, in the streams table."""

from collections.abc import Collection

from chalicelib.ports.socket_limits import MessageCount
from chalicelib.ports.streams import Connection
from chalicelib.settings import Settings
from chalicelib.stores.conditions import has_less, update_if
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.connection_items import connection_key, connection_of, find_item
from chalicelib.stores.models import StreamItem


class DynamoSocketUse:
    """``SocketUse`` on DynamoDB. The port states what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings) -> None:
        self._item = bound(StreamItem, settings.streams_table, connection)

    def count_messages(self, connection_id: str, minute: int, number: int) -> MessageCount | None:
        model, item = self._item, self._item(connection_key(connection_id))
        go_on = [model.messages.add(number)], model.message_minute >= minute
        is_new = model.message_minute.does_not_exist() | (model.message_minute < minute)
        begin = [model.message_minute.set(minute), model.messages.set(number)], model.id.exists() & is_new
        # Another environment may begin the minute between the first two.
        for actions, condition in (go_on, begin, go_on):
            if update_if(item, actions, condition):
                return MessageCount(connection_of(connection_id, item), int(item.messages or 0))
        return None

    def subscribe(self, connection_id: str, subscription: str, most: int) -> Connection | None:
        subscriptions = self._item.subscriptions
        has_room = subscriptions.contains(subscription) | has_less(subscriptions, most)
        item = self._item(connection_key(connection_id))
        is_noted = update_if(item, [subscriptions.add({subscription})], self._item.id.exists() & has_room)
        return connection_of(connection_id, item) if is_noted else None

    def unsubscribe(self, connection_id: str, subscriptions: Collection[str]) -> Connection | None:
        item = self._item(connection_key(connection_id))
        is_open = update_if(item, [self._item.subscriptions.delete(set(subscriptions))], self._item.id.exists())
        return connection_of(connection_id, item) if is_open else None

    def begin_pruning(self, connection_id: str, now: int, pause_seconds: int) -> bool:
        return _begin_pruning(self._item, connection_key(connection_id), now, pause_seconds)


class DynamoUserSockets:
    """``UserSockets`` on DynamoDB. The port states what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings) -> None:
        self._item = bound(StreamItem, settings.streams_table, connection)

    def add(self, user_id: str, connection_id: str, expires_at: int, most: int) -> bool:
        # The newest connection is the last to close, so the item may expire with it.
        actions = [self._item.sockets.add({connection_id}), self._item.expires_at.set(expires_at)]
        return update_if(self._item(_key(user_id)), actions, has_less(self._item.sockets, most) if most else None)

    def remove(self, user_id: str, connection_ids: Collection[str]) -> None:
        item = self._item(_key(user_id))
        update_if(item, [self._item.sockets.delete(set(connection_ids))], self._item.id.exists())

    def of(self, user_id: str) -> frozenset[str]:
        item = find_item(self._item, _key(user_id))
        return frozenset(item.sockets or ()) if item else frozenset()

    def begin_pruning(self, user_id: str, now: int, pause_seconds: int) -> bool:
        return _begin_pruning(self._item, _key(user_id), now, pause_seconds)


def _begin_pruning(model: type[StreamItem], key: str, now: int, pause_seconds: int) -> bool:
    is_due = model.pruned_at.does_not_exist() | (model.pruned_at <= now - pause_seconds)
    return update_if(model(key), [model.pruned_at.set(now)], model.id.exists() & is_due)


def _key(user_id: str) -> str:
    return f"sockets#{user_id}"
