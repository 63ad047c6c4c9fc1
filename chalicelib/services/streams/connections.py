"""WebSocket connections: opened with the stream that their address asks for, and closed."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import to_ms, to_seconds
from chalicelib.domain.errors import ExpiredCredentialError, RefusedError, TooManySocketsError
from chalicelib.domain.identity import Caller, Scope
from chalicelib.observability import streams as observe
from chalicelib.ports.queues import ReplayQueue
from chalicelib.ports.streams import (
    CheckSocket,
    Connection,
    ConnectionGoneError,
    ManagedSockets,
    OpenStream,
    PushFailedError,
    StreamStore,
)
from chalicelib.services.streams.user_sockets import OPENING_SECONDS, LimitSockets
from chalicelib.settings import MAX_DELAY_SECONDS

#: Makes the frame of an error, in answer to the message with a request id or to none.
ErrorFrameBuilder = Callable[[Exception, str | int | None], str]
#: A client that goes on sending to a closed socket may lose the frames that it has not read (a reset in TCP).
_READ_SECONDS = 0.2


def expiry(now: datetime, connection_hours: int) -> int:
    """The time by which every connection that is open now is closed, in seconds since the epoch."""
    return to_seconds(now) + connection_hours * 3600


@dataclass(frozen=True, slots=True)
class Connections:
    streams: StreamStore
    replays: ReplayQueue
    sockets: ManagedSockets
    limit: LimitSockets
    build_error_frame: ErrorFrameBuilder
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    connection_hours: int

    def open(self, caller: Caller, connection_id: str, *, coarse: bool, wanted: Mapping[str, list[str]]) -> None:
        """Store a connection of the caller's, and queue the stream that its address asks for, if any.

        API Gateway refuses pushes to a connection until ``$connect`` has returned, so the replay queue brings the
        stream.

        :raises MissingScopeError: if the caller may not read orders.
        :raises ExpiredCredentialError: if the caller's credential counts only for the difference of two clocks.
        :raises TooManySocketsError: if the caller has too many open sockets.
        """
        caller.require(Scope.READ)
        if caller.credential and caller.credential.has_expired(to_seconds(self.now())):
            raise ExpiredCredentialError
        known = caller if caller.credential else None
        connection = Connection(connection_id, coarse, expiry(self.now(), self.connection_hours), known)
        self.streams.connect(connection)
        if known:
            self._admit(known, connection)
        if wanted:
            self.replays.send([OpenStream(connection_id, wanted, coarse, known, to_ms(self.now()))])

    def _admit(self, caller: Caller, connection: Connection) -> None:
        # The list has no entry of a connection that is not stored: it would look like one that has vanished.
        try:
            self.limit.admit(caller.user_id, connection)
        except TooManySocketsError:
            self.streams.disconnect(connection.connection_id)
            raise
        ends_at = caller.credential.expires_at if caller.credential else None
        if ends_at is not None and ends_at < connection.expires_at:
            self.queue_check(CheckSocket(connection.connection_id, ends_at))

    def queue_check(self, check: CheckSocket) -> None:
        """Let the replay queue look at a connection when its credential ends, or as late as the queue can wait.

        A connection that is opening cannot be closed yet.
        """
        seconds = max(check.ends_at - to_seconds(self.now()), OPENING_SECONDS)
        self.replays.send([check], delay_seconds=min(seconds, MAX_DELAY_SECONDS))

    def close(self, connection_id: str) -> None:
        """Forget a closed connection. Orders forget it when the next push finds it gone."""
        if connection := self.streams.disconnect(connection_id):
            self._leave_list(connection)

    def end(self, connection_id: str, error: RefusedError) -> None:
        """Close a socket, and tell its client why. One of several calls tells it.

        :raises PushFailedError: if the socket may still be open.
        """
        connection = self.streams.disconnect(connection_id)
        self._end(connection_id, connection, error)
        if connection and self.limit.is_opening(connection):
            self.queue_check(CheckSocket(connection_id, ends_at=0))

    def end_sender(self, connection_id: str, error: RefusedError, request_id: str | int | None) -> None:
        """Close the socket of a client that is sending, in answer to its message; if need be by the replay queue."""
        connection = self.streams.disconnect(connection_id)
        try:
            self._end(connection_id, connection, error, request_id, _READ_SECONDS)
        except PushFailedError:
            self.queue_check(CheckSocket(connection_id, ends_at=0))

    def end_slow(self, connection_id: str) -> None:
        """Close a socket that does not take its frames, if need be by the replay queue.

        Its client opens another one and asks for what it lacks.
        """
        connection = self.streams.disconnect(connection_id)
        # Several messages find the same socket slow; one of them gets its connection.
        if connection:
            observe.slow_socket_closed(connection_id)
        try:
            self._end(connection_id, connection)
        except PushFailedError:
            self.queue_check(CheckSocket(connection_id, ends_at=0))
            return
        if connection and self.limit.is_opening(connection):
            self.queue_check(CheckSocket(connection_id, ends_at=0))

    def _end(
        self,
        connection_id: str,
        connection: Connection | None,
        error: RefusedError | None = None,
        request_id: str | int | None = None,
        read_seconds: float = 0,
    ) -> None:
        """Close a socket whose ``connection`` this call, and no other, took from the store.

        :raises PushFailedError: if the socket may still be open.
        """
        if connection and error:
            with suppress(ConnectionGoneError, PushFailedError):
                self.sockets.push(connection_id, self.build_error_frame(error, request_id))
                self.sleep(read_seconds)
        self.sockets.close(connection_id)
        # An entry of the list that has no connection marks a socket that may still be open.
        if connection:
            self._leave_list(connection)

    def _leave_list(self, connection: Connection) -> None:
        if caller := connection.caller:
            self.limit.user_sockets.remove(caller.user_id, [connection.connection_id])

    def find(self, connection_id: str) -> Connection | None:
        return self.streams.connection(connection_id)
