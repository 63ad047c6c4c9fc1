"""Open connections and the followers of users, in DynamoDB."""

from collections.abc import Collection

from pynamodb.exceptions import DoesNotExist

from chalicelib.ports.streams import Connection, OpenSockets, Subscriber, UserReplay
from chalicelib.settings import Settings
from chalicelib.stores.conditions import delete_if, update_if
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.connection_items import caller_values, connection_key, connection_of, find_item
from chalicelib.stores.models import StreamItem
from chalicelib.stores.subscribers import from_set, to_set, to_text


class DynamoStreamStore:
    """``StreamStore`` on DynamoDB. The port states what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings) -> None:
        self._item = bound(StreamItem, settings.streams_table, connection)

    def connect(self, connection: Connection) -> None:
        self._item(
            connection_key(connection.connection_id),
            coarse="coarse" if connection.coarse else "fine",
            expires_at=connection.expires_at,
            **caller_values(connection.caller),
        ).save()

    def connection(self, connection_id: str) -> Connection | None:
        item = self._get(connection_key(connection_id))
        return None if item is None else connection_of(connection_id, item)

    def disconnect(self, connection_id: str) -> Connection | None:
        item = self._get(connection_key(connection_id))
        if item is None:
            return None
        for user_id in item.users or ():
            self.remove_followers(user_id, [connection_id])
        is_mine = delete_if(self._item(connection_key(connection_id)), self._item.id.exists())
        return connection_of(connection_id, item) if is_mine else None

    def follow(self, user_id: str, subscriber: Subscriber) -> bool:
        # The connection first: ``disconnect`` could never remove a follow that the connection does not list.
        connection = self._item(connection_key(subscriber.connection_id))
        if not update_if(connection, [self._item.users.add({user_id})], self._item.id.exists()):
            return False
        # The newest connection is the last to close, so the item may expire with it.
        expiry = self._item.expires_at.set(connection.expires_at)
        self._item(_user_key(user_id)).update([self._item.subscribers.add({to_text(subscriber)}), expiry])
        return True

    def unfollow(self, user_id: str, subscriber: Subscriber) -> None:
        self._remove(user_id, [subscriber])
        connection = self._item(connection_key(subscriber.connection_id))
        update_if(connection, [self._item.users.delete({user_id})], self._item.id.exists())

    def remove_followers(self, user_id: str, connection_ids: Collection[str]) -> None:
        # The items of these connections may go on naming the user: they end with their connections.
        both = [Subscriber(one, coarse, via_user=True) for one in connection_ids for coarse in (False, True)]
        self._remove(user_id, both)

    def _remove(self, user_id: str, followers: Collection[Subscriber]) -> None:
        # An update without the condition would create an item, which makes a user without followers look followed.
        update_if(
            self._item(_user_key(user_id)), [self._item.subscribers.delete(to_set(followers))], self._item.id.exists()
        )

    def follows(self, user_id: str, connection_id: str) -> bool:
        item = self._get(connection_key(connection_id))
        return item is not None and user_id in (item.users or ())

    def followers(self, user_id: str) -> frozenset[Subscriber]:
        item = self._get(_user_key(user_id))
        return from_set(item.subscribers if item else None)

    def is_followed(self, user_id: str) -> bool:
        try:
            # A part of the item: a user may have thousands of followers.
            self._item.get(_user_key(user_id), consistent_read=True, attributes_to_get=["id"])
        except DoesNotExist:
            return False
        return True

    def drop_unfollowed(self, user_id: str) -> None:
        delete_if(self._item(_user_key(user_id)), self._item.subscribers.does_not_exist())

    def replay_of(self, user_id: str, connection_id: str) -> UserReplay | None:
        item = self._get(_replay_key(user_id, connection_id))
        if item is None:
            return None
        since_ms = None if item.since_ms is None else int(item.since_ms)
        return UserReplay(int(item.replay or 0), int(item.starts_at_ms or 0), since_ms)

    def set_replay(self, user_id: str, connection_id: str, replay: UserReplay, expires_at: int) -> None:
        item = self._item
        since = item.since_ms.remove() if replay.since_ms is None else item.since_ms.set(replay.since_ms)
        values = [item.replay.set(replay.number), item.starts_at_ms.set(replay.starts_at_ms), since]
        item(_replay_key(user_id, connection_id)).update([*values, item.expires_at.set(expires_at)])

    def count_open(self, now: int, limit: int) -> OpenSockets:
        # DynamoDB deletes expired items late.
        is_open = self._item.id.startswith(connection_key("")) & (self._item.expires_at > now)
        # A scan through the model would read page after page until it has found ``limit`` connections.
        page = self._item._get_connection().scan(filter_condition=is_open, attributes_to_get=["id"], limit=limit)
        return OpenSockets(int(page["Count"]), "LastEvaluatedKey" in page)

    def end_replay(self, user_id: str, connection_id: str, number: int) -> None:
        item = self._item(_replay_key(user_id, connection_id))
        update_if(item, [self._item.since_ms.remove()], self._item.replay == number)

    def _get(self, key: str) -> StreamItem | None:
        return find_item(self._item, key)


def _user_key(user_id: str) -> str:
    return f"user#{user_id}"


def _replay_key(user_id: str, connection_id: str) -> str:
    return f"replay#{connection_id}#{user_id}"
