"""The limit on the open sockets of one user, and the list of them.

API Gateway does not promise a ``$disconnect``. When a user's list is full, the sockets that have vanished leave it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import to_seconds
from chalicelib.domain.errors import TooManySocketsError
from chalicelib.ports.socket_limits import UserSockets
from chalicelib.ports.streams import Connection, ManagedSockets, PushFailedError, StreamStore

#: Pause between two searches for vanished sockets of one user.
PRUNE_SECONDS = 5
#: Time of one search. A further handshake searches on.
_PRUNING_SECONDS = 3
#: The gateway knows a connection once its ``$connect`` has returned, which takes at most the function's timeout.
OPENING_SECONDS = 15


@dataclass(frozen=True, slots=True)
class LimitSockets:
    """``limit`` 0 is no limit. A connection stays open for ``connection_seconds`` at most."""

    user_sockets: UserSockets
    streams: StreamStore
    sockets: ManagedSockets
    now: Callable[[], datetime]
    limit: int
    connection_seconds: int

    def admit(self, user_id: str, connection: Connection) -> None:
        """List a stored connection among those of its user.

        :raises TooManySocketsError: if the user has as many open sockets as the limit allows.
        """
        if self._add(user_id, connection):
            return
        if self.user_sockets.begin_pruning(user_id, self._now(), PRUNE_SECONDS):
            self._prune(user_id)
            if self._add(user_id, connection):
                return
        raise TooManySocketsError(user_id)

    def _prune(self, user_id: str) -> None:
        """Remove the sockets that have vanished from a user's list, one by one: the handshake may end before all."""
        until = self._now() + _PRUNING_SECONDS
        for connection_id in self.user_sockets.of(user_id):
            if self._has_vanished(connection_id):
                self.streams.disconnect(connection_id)
                self.user_sockets.remove(user_id, [connection_id])
            if self._now() >= until:
                return

    def is_opening(self, connection: Connection) -> bool:
        """True if the gateway may not know the connection yet."""
        return connection.expires_at > self._now() + self.connection_seconds - OPENING_SECONDS

    def _add(self, user_id: str, connection: Connection) -> bool:
        return self.user_sockets.add(user_id, connection.connection_id, connection.expires_at, self.limit)

    def _has_vanished(self, connection_id: str) -> bool:
        # An entry without a connection is that of a socket which the engine could not close.
        connection = self.streams.connection(connection_id)
        if connection is not None and connection.expires_at <= self._now():
            return True
        if connection is not None and self.is_opening(connection):
            return False
        try:
            return not self.sockets.is_open(connection_id)
        except PushFailedError:
            return False

    def _now(self) -> int:
        return to_seconds(self.now())
