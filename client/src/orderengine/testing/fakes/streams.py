"""Connections and followers in memory, and sockets that record the pushed frames."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any

from chalicelib.codec.exact_json import loads
from chalicelib.ports.queues import QueueDepth
from chalicelib.ports.streams import (
    Connection,
    ConnectionGoneError,
    OpenSockets,
    PushFailedError,
    StreamReplay,
    Subscriber,
    UserReplay,
)


class FakeStreamStore:
    """``StreamStore`` in memory."""

    def __init__(self) -> None:
        self._connections: dict[str, Connection] = {}
        self._followers: dict[str, set[Subscriber]] = defaultdict(set)
        self._replays: dict[tuple[str, str], UserReplay] = {}

    def connect(self, connection: Connection) -> None:
        self._connections[connection.connection_id] = connection

    def connection(self, connection_id: str) -> Connection | None:
        return self._connections.get(connection_id)

    def update(self, connection_id: str, **changes: Any) -> Connection:
        self._connections[connection_id] = replace(self._connections[connection_id], **changes)
        return self._connections[connection_id]

    def disconnect(self, connection_id: str) -> Connection | None:
        connection = self._connections.pop(connection_id, None)
        for followers in self._followers.values():
            followers -= {one for one in followers if one.connection_id == connection_id}
        return connection

    def remove_followers(self, user_id: str, connection_ids: Collection[str]) -> None:
        assert connection_ids, "DynamoDB refuses an empty set"
        if user_id in self._followers:
            gone = {one for one in self._followers[user_id] if one.connection_id in connection_ids}
            self._followers[user_id] -= gone

    def follow(self, user_id: str, subscriber: Subscriber) -> bool:
        if subscriber.connection_id not in self._connections:
            return False
        self._followers[user_id].add(subscriber)
        return True

    def unfollow(self, user_id: str, subscriber: Subscriber) -> None:
        self._followers.get(user_id, set()).discard(subscriber)

    def follows(self, user_id: str, connection_id: str) -> bool:
        return any(one.connection_id == connection_id for one in self._followers.get(user_id, ()))

    def followers(self, user_id: str) -> frozenset[Subscriber]:
        return frozenset(self._followers.get(user_id, ()))

    def is_followed(self, user_id: str) -> bool:
        return user_id in self._followers

    def drop_unfollowed(self, user_id: str) -> None:
        if not self._followers.get(user_id):
            self._followers.pop(user_id, None)

    def replay_of(self, user_id: str, connection_id: str) -> UserReplay | None:
        return self._replays.get((user_id, connection_id))

    def set_replay(self, user_id: str, connection_id: str, replay: UserReplay, expires_at: int) -> None:
        self._replays[user_id, connection_id] = replay

    def count_open(self, now: int, limit: int) -> OpenSockets:
        read = list(self._connections.values())[:limit]
        return OpenSockets(sum(one.expires_at > now for one in read), len(self._connections) > limit)

    def end_replay(self, user_id: str, connection_id: str, number: int) -> None:
        found = self._replays.get((user_id, connection_id))
        if found and found.number == number:
            self._replays[user_id, connection_id] = replace(found, since_ms=None)


class FakeSockets:
    """``ManagedSockets`` that record every frame by connection, and the connections that the engine closed.

    A push to a ``gone`` or ``slow`` connection fails, and so does the closing of a ``slow`` one.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self.frames: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.gone: set[str] = set()
        self.slow: set[str] = set()
        self.closed: list[str] = []

    def push(self, connection_id: str, text: str) -> None:
        if connection_id in self.gone:
            raise ConnectionGoneError(connection_id)
        if connection_id in self.slow:
            raise PushFailedError(connection_id)
        with self._lock:
            self.frames[connection_id].append(loads(text))

    def close(self, connection_id: str) -> None:
        if connection_id in self.slow:
            raise PushFailedError(connection_id)
        if connection_id not in self.gone:
            self.gone.add(connection_id)
            self.closed.append(connection_id)

    def is_open(self, connection_id: str) -> bool:
        if connection_id in self.slow:
            raise PushFailedError(connection_id)
        return connection_id not in self.gone

    def updates(self, connection_id: str) -> list[tuple[int, str]]:
        """``(seq, status)`` of each order update that a connection received."""
        return [
            (frame["seq"], frame["status"]) for frame in self.frames[connection_id] if frame["type"] == "ORDER_UPDATE"
        ]


class FakeReplayQueue:
    """``ReplayQueue`` that records the sent replays. While ``down`` is set, every send fails."""

    def __init__(self) -> None:
        self.down = False
        self.sent: list[tuple[StreamReplay, int]] = []
        self.held: list[tuple[str, int]] = []

    def send(self, replays: Sequence[StreamReplay], delay_seconds: int = 0) -> None:
        if self.down:
            raise ConnectionError("the fake stream queue is down")
        self.sent += [(replay, delay_seconds) for replay in replays]

    def depth(self) -> QueueDepth:
        if self.down:
            raise ConnectionError("the fake stream queue is down")
        return QueueDepth(waiting=len(self.sent))

    def hold(self, receipt: str, seconds: int) -> None:
        self.held.append((receipt, seconds))
