"""The limit on the messages of one socket, which holds across environments without a write per message.

In each minute of the clock, an environment lets a share of the limit pass uncounted for each connection. Then it
counts that share, and a further one in advance, by a write on the connection in place of the read that every message
needs, and goes on share by share. The shares that environments get in advance never exceed the limit together. So a
connection sends at most the limit, and an uncounted share for each environment that serves it. A connection that
several environments serve may reach the limit by so much earlier: they do not return the shares that they do not use.
"""

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.domain.errors import TooManyMessagesError
from chalicelib.ports.socket_limits import SocketUse
from chalicelib.ports.streams import Connection, ConnectionGoneError
from chalicelib.services.streams.recent import Recent

_SHARES = 20
#: An environment lets a connection that it has forgotten pass an uncounted share again.
_MAX_CONNECTIONS = 1000


@dataclass(slots=True)
class _Minute:
    """The messages of a connection: ``left`` may pass without a count."""

    number: int
    left: int
    is_counted: bool = False


class LimitMessages:
    """One per process. ``limit`` is in messages a minute, 0 is no limit. ``now`` is in seconds since the epoch."""

    def __init__(self, use: SocketUse, limit: int, now: Callable[[], int]) -> None:
        self._use = use
        self._limit = limit
        self._share = max(1, limit // _SHARES)
        self._now = now
        self._minutes: Recent[_Minute] = Recent(_MAX_CONNECTIONS)

    def admit(self, connection_id: str) -> Connection | None:
        """Let a message pass. Returns its connection if the count has read it.

        :raises TooManyMessagesError: if the connection has sent as many messages as the limit allows.
        :raises ConnectionGoneError: if the count finds the connection closed.
        """
        if not self._limit:
            return None
        minute = self._minute(connection_id)
        connection = None
        if not minute.left:
            connection = self._get_share(connection_id, minute)
        minute.left -= 1
        return connection

    def _minute(self, connection_id: str) -> _Minute:
        number, minute = self._now() // 60, self._minutes.get(connection_id)
        if minute is None or minute.number != number:
            minute = _Minute(number, self._share)
            self._minutes.put(connection_id, minute)
        return minute

    def _get_share(self, connection_id: str, minute: _Minute) -> Connection:
        uncounted = 0 if minute.is_counted else self._share
        count = self._use.count_messages(connection_id, minute.number, uncounted + self._share)
        if count is None:
            raise ConnectionGoneError(connection_id)
        room = self._limit - (count.number - self._share)
        if room <= 0:
            raise TooManyMessagesError(connection_id)
        minute.is_counted, minute.left = True, min(self._share, room)
        return count.connection
