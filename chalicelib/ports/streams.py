"""What the status streams need: open connections, subscribers, pushes and replays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A connection that follows an order, and how: coarse frames, and whether through its user's stream."""

    connection_id: str
    coarse: bool = False
    via_user: bool = False


@dataclass(frozen=True, slots=True)
class Connection:
    """An open WebSocket connection."""

    connection_id: str
    coarse: bool
    expires_at: int


class StreamStore(Protocol):
    """Open connections, and who follows which user."""

    def connect(self, connection: Connection) -> None: ...

    def connection(self, connection_id: str) -> Connection | None: ...

    def disconnect(self, connection_id: str) -> None:
        """Forget a connection and what it follows."""
        ...

    def follow(self, user_id: str, subscriber: Subscriber) -> bool:
        """Have the connection told of all of the user's orders; False if it is not open (any more)."""
        ...

    def unfollow(self, user_id: str, subscriber: Subscriber) -> None: ...

    def followers(self, user_id: str) -> frozenset[Subscriber]: ...


class ConnectionGoneError(Exception):
    """Nobody is at the other end any more."""


class PushFailedError(Exception):
    """The frame could not be pushed now."""


class Sockets(Protocol):
    def push(self, connection_id: str, text: str) -> None:
        """:raises ConnectionGoneError, PushFailedError: if the frame was not taken."""
        ...


@dataclass(frozen=True, slots=True)
class Replay:
    """A stream to bring to a connection: ``wanted`` as the client asks for it (orderId or userId, afterSeq).

    ``look`` counts the looks at a user's orders after it was followed, ``tries`` how often this could not be brought.
    """

    connection_id: str
    wanted: Mapping[str, Any]
    coarse: bool = False
    via_user: bool = False
    look: int = 0
    tries: int = 0
