"""The status streams: connections, subscribers, pushes and replays."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from chalicelib.domain.identity import Caller

#: The subscribers whom the writers of an order push to themselves. Further ones are served in groups.
MAX_DIRECT_SUBSCRIBERS = 8


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A connection that receives an order's events: coarse or detailed, and directly or through a user stream.

    ``after_seq`` is set while the connection's position is not that of the others: the client has asked for later
    events alone, or has not received the earlier ones yet. ``awaits_live``: the client has not received the live
    frame of the order's stream yet.
    """

    connection_id: str
    coarse: bool = False
    via_user: bool = False
    after_seq: int | None = None
    awaits_live: bool | None = None


def settled(subscriber: Subscriber) -> Subscriber:
    """The subscriber without a position of its own, on a stream that is live."""
    return replace(subscriber, after_seq=None, awaits_live=None)


@dataclass(frozen=True, slots=True)
class Connection:
    """An open WebSocket connection. ``expires_at`` is in seconds since the epoch.

    ``caller`` opened it; ``None`` without authentication. ``subscriptions`` are those that its client asked for by
    messages.
    """

    connection_id: str
    coarse: bool
    expires_at: int
    caller: Caller | None = None
    subscriptions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class UserReplay:
    """The newest replay of a user's stream on one connection, by which an earlier one learns that it is superseded.

    ``starts_at_ms`` is the time of its first look. ``since_ms`` is the time since which it brings events; ``None``
    once the stream is live.
    """

    number: int
    starts_at_ms: int
    since_ms: int | None


@dataclass(frozen=True, slots=True)
class OpenSockets:
    """``number`` connections were open; ``limit_reached``: perhaps more, because the count ended early."""

    number: int
    limit_reached: bool


class StreamStore(Protocol):
    """Open connections, and the followers of users."""

    def connect(self, connection: Connection) -> None: ...

    def connection(self, connection_id: str) -> Connection | None: ...

    def disconnect(self, connection_id: str) -> Connection | None:
        """Forget a connection and its follows. Exactly one of several calls returns the connection."""
        ...

    def remove_followers(self, user_id: str, connection_ids: Collection[str]) -> None:
        """End the follows of connections that are gone, by one write however many they are."""
        ...

    def follow(self, user_id: str, subscriber: Subscriber) -> bool:
        """Subscribe the connection to all orders of the user; False if the connection is not open."""
        ...

    def unfollow(self, user_id: str, subscriber: Subscriber) -> None: ...

    def follows(self, user_id: str, connection_id: str) -> bool: ...

    def followers(self, user_id: str) -> frozenset[Subscriber]: ...

    def is_followed(self, user_id: str) -> bool:
        """True if the user may have followers; a small read, however many there are."""
        ...

    def drop_unfollowed(self, user_id: str) -> None:
        """Make ``is_followed`` false if the user has no followers any more."""
        ...

    def replay_of(self, user_id: str, connection_id: str) -> UserReplay | None: ...

    def set_replay(self, user_id: str, connection_id: str, replay: UserReplay, expires_at: int) -> None:
        """Store the newest replay. ``expires_at`` (seconds since the epoch) is a time by which it has ended."""
        ...

    def count_open(self, now: int, limit: int) -> OpenSockets:
        """Count the connections that may be open at ``now``, in seconds since the epoch, by one bounded read.

        The read covers ``limit`` entries of the store, which has others than connections.
        """
        ...

    def end_replay(self, user_id: str, connection_id: str, number: int) -> None:
        """Note that the stream is live, unless a newer replay has begun."""
        ...


class ConnectionGoneError(Exception):
    """The connection is closed."""


class PushFailedError(Exception):
    """The gateway of the sockets does not take the frame, or carry out the call, now."""


class Sockets(Protocol):
    def push(self, connection_id: str, text: str) -> None:
        """Push one frame.

        :raises ConnectionGoneError: if the connection is closed.
        :raises PushFailedError: if the frame was not accepted.
        """
        ...


class ManagedSockets(Sockets, Protocol):
    def close(self, connection_id: str) -> None:
        """Close a connection, unless it is closed.

        :raises PushFailedError: if the connection may still be open.
        """
        ...

    def is_open(self, connection_id: str) -> bool:
        """:raises PushFailedError: if there is no answer."""
        ...


@dataclass(frozen=True, slots=True)
class OpenStream:
    """A handshake asks for a stream by its address. ``query`` holds the parameters as sent, not validated yet.

    ``caller`` opened the connection; ``None`` without authentication. ``opened_at_ms`` is the time of the handshake.
    Messages of earlier versions do not have it, and have one text for each parameter, in place of the list of its
    values.
    """

    connection_id: str
    query: Mapping[str, str | list[str]]
    coarse: bool = False
    caller: Caller | None = None
    opened_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class FollowUser:
    """A follower of a user's stream needs the orders that were unfinished when the follow began, and those that have
    ended since ``since_ms``.

    ``look`` counts the index queries, ``tries`` the earlier tries at this look that a slow socket ended without a
    frame. ``began_at_ms`` is the time at which this look began, and ``looked_at_ms`` that of the look before. A look
    goes on after the orders that were created up to ``after_created_ms``, and those that ended up to
    ``after_ended_ms``. ``replay`` is the number of the ``UserReplay``. The connection waits for the frames of the
    look since ``late_since_ms``. Messages of earlier versions have ``followed_at_ms`` and ``tries`` alone.
    """

    subscriber: Subscriber
    user_id: str
    look: int
    followed_at_ms: int | None = None
    tries: int | None = None
    since_ms: int | None = None
    began_at_ms: int | None = None
    looked_at_ms: int | None = None
    after_created_ms: int | None = None
    after_ended_ms: int | None = None
    replay: int | None = None
    late_since_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RetrySocket:
    """A socket was too slow for an order's events after ``after_seq``.

    ``tries`` counts the failed pushes, the first of which was at ``late_since_ms``. Messages of earlier versions do
    not have that time.
    """

    subscriber: Subscriber
    order_id: str
    after_seq: int
    tries: int
    late_since_ms: int | None = None


@dataclass(frozen=True, slots=True)
class NotifyFollowers:
    """The followers of an order's user may not know the order yet."""

    order_id: str


@dataclass(frozen=True, slots=True)
class CheckSocket:
    """The credential of a connection ends at ``ends_at``, in seconds since the epoch, and the connection with it."""

    connection_id: str
    ends_at: int


@dataclass(frozen=True, slots=True)
class CloseSockets:
    """A credential of a user is revoked, and may have open connections."""

    user_id: str
    credential_id: str


#: A message of the replay queue: a stream that the ``replay_streams`` function brings up to date, or sockets that it
#: closes.
StreamReplay = OpenStream | FollowUser | RetrySocket | NotifyFollowers | CheckSocket | CloseSockets
