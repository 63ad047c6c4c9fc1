"""The use of connections, the sockets of users, and tickets, in memory."""

from collections.abc import Collection
from threading import Lock

from chalicelib.ports.socket_limits import MessageCount
from chalicelib.ports.streams import Connection
from chalicelib.ports.tickets import Ticket
from orderengine.testing.fakes.streams import FakeStreamStore


class _Pruning:
    def __init__(self) -> None:
        self._pruned_at: dict[str, int] = {}

    def begin(self, key: str, now: int, pause_seconds: int) -> bool:
        if self._pruned_at.get(key, now - pause_seconds) > now - pause_seconds:
            return False
        self._pruned_at[key] = now
        return True


class FakeSocketUse:
    """``SocketUse`` on the connections of a fake store."""

    def __init__(self, streams: FakeStreamStore) -> None:
        self._streams = streams
        self._lock = Lock()
        self._messages: dict[str, tuple[int, int]] = {}
        self._pruning = _Pruning()

    def count_messages(self, connection_id: str, minute: int, number: int) -> MessageCount | None:
        with self._lock:
            connection = self._streams.connection(connection_id)
            if connection is None:
                return None
            began, counted = self._messages.get(connection_id, (minute, 0))
            counted = number if began < minute else counted + number
            self._messages[connection_id] = max(began, minute), counted
            return MessageCount(connection, counted)

    def subscribe(self, connection_id: str, subscription: str, most: int) -> Connection | None:
        with self._lock:
            connection = self._streams.connection(connection_id)
            if connection is None:
                return None
            present = connection.subscriptions
            if subscription not in present and len(present) >= most:
                return None
            return self._streams.update(connection_id, subscriptions=present | {subscription})

    def unsubscribe(self, connection_id: str, subscriptions: Collection[str]) -> Connection | None:
        with self._lock:
            connection = self._streams.connection(connection_id)
            if connection is None:
                return None
            left = connection.subscriptions - set(subscriptions)
            return self._streams.update(connection_id, subscriptions=left)

    def begin_pruning(self, connection_id: str, now: int, pause_seconds: int) -> bool:
        is_open = self._streams.connection(connection_id) is not None
        return is_open and self._pruning.begin(connection_id, now, pause_seconds)


class FakeUserSockets:
    """``UserSockets`` in memory."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sockets: dict[str, set[str]] = {}
        self._pruning = _Pruning()

    def add(self, user_id: str, connection_id: str, expires_at: int, most: int) -> bool:
        with self._lock:
            present = self._sockets.get(user_id, set())
            if most and len(present) >= most:
                return False
            self._sockets[user_id] = present | {connection_id}
            return True

    def remove(self, user_id: str, connection_ids: Collection[str]) -> None:
        with self._lock:
            if user_id in self._sockets:
                self._sockets[user_id] -= set(connection_ids)

    def of(self, user_id: str) -> frozenset[str]:
        with self._lock:
            return frozenset(self._sockets.get(user_id, ()))

    def begin_pruning(self, user_id: str, now: int, pause_seconds: int) -> bool:
        return user_id in self._sockets and self._pruning.begin(user_id, now, pause_seconds)


class FakeTicketStore:
    """``TicketStore`` in memory."""

    def __init__(self) -> None:
        self.tickets: dict[str, Ticket] = {}

    def put(self, ticket: Ticket) -> None:
        self.tickets[ticket.digest] = ticket

    def take(self, digest: str) -> Ticket | None:
        return self.tickets.pop(digest, None)
