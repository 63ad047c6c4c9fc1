"""The counts by which the engine limits sockets and their use. Times are in seconds since the epoch."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from chalicelib.ports.streams import Connection


@dataclass(frozen=True, slots=True)
class MessageCount:
    """``number``: the messages of a connection that are counted in this minute."""

    connection: Connection
    number: int


class SocketUse(Protocol):
    """The use of one open connection. No call has an effect on a closed connection."""

    def count_messages(self, connection_id: str, minute: int, number: int) -> MessageCount | None:
        """Count ``number`` messages in a minute, or in a later one that another clock has begun.

        ``minute`` is in minutes since the epoch. ``None`` if the connection is closed.
        """
        ...

    def subscribe(self, connection_id: str, subscription: str, most: int) -> Connection | None:
        """Note a subscription. ``None`` if the connection is closed, or has ``most`` others."""
        ...

    def unsubscribe(self, connection_id: str, subscriptions: Collection[str]) -> Connection | None:
        """Forget subscriptions. ``None`` if the connection is closed."""
        ...

    def begin_pruning(self, connection_id: str, now: int, pause_seconds: int) -> bool:
        """True for one call in ``pause_seconds``."""
        ...


class UserSockets(Protocol):
    """The open sockets of each user, and perhaps some that have vanished without a ``$disconnect``."""

    def add(self, user_id: str, connection_id: str, expires_at: int, most: int) -> bool:
        """Add a socket, which is closed by ``expires_at``. False, and no effect, if the user has ``most`` sockets.

        ``most`` 0 is no limit.
        """
        ...

    def remove(self, user_id: str, connection_ids: Collection[str]) -> None: ...

    def of(self, user_id: str) -> frozenset[str]: ...

    def begin_pruning(self, user_id: str, now: int, pause_seconds: int) -> bool:
        """True for one call in ``pause_seconds``."""
        ...
