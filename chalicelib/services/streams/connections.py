"""WebSocket connections: opened with the stream that their address asks for, and closed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.identity import Caller, Scope
from chalicelib.ports.queues import ReplayQueue
from chalicelib.ports.streams import Connection, OpenStream, StreamStore, Subscriber


def expiry(now: datetime, connection_hours: int) -> int:
    """The time by which every connection that is open now is closed, in seconds since the epoch."""
    return to_ms(now) // 1000 + connection_hours * 3600


@dataclass(frozen=True, slots=True)
class Connections:
    streams: StreamStore
    replays: ReplayQueue
    now: Callable[[], datetime]
    connection_hours: int

    def open(self, caller: Caller, connection_id: str, *, coarse: bool, wanted: Mapping[str, list[str]]) -> None:
        """Store a connection of the caller's, and queue the stream that its address asks for, if any.

        API Gateway refuses pushes to a connection until ``$connect`` has returned, so the replay queue brings the
        stream.

        :raises MissingScopeError: if the caller may not read orders.
        """
        caller.require(Scope.READ)
        expires_at = expiry(self.now(), self.connection_hours)
        self.streams.connect(Connection(connection_id, coarse, expires_at))
        if wanted:
            self.replays.send([OpenStream(connection_id, wanted, coarse)])

    def close(self, connection_id: str) -> None:
        """Forget a connection. Orders forget it when the next push finds it gone."""
        self.streams.disconnect(connection_id)

    def is_open(self, connection_id: str) -> bool:
        return self.streams.connection(connection_id) is not None

    def subscriber(self, connection_id: str) -> Subscriber:
        """The connection as a subscriber, with the grain of frames that its handshake chose."""
        connection = self.streams.connection(connection_id)
        return Subscriber(connection_id, coarse=bool(connection and connection.coarse))
