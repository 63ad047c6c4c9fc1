"""The admission of messages: each costs one look at its connection, which gives the subscriber and the caller."""

from collections.abc import Callable
from dataclasses import dataclass, field

from chalicelib.domain.errors import (
    ExpiredCredentialError,
    MissingCredentialError,
    RefusedError,
    TooManyMessagesError,
)
from chalicelib.observability import streams as observe
from chalicelib.ports.authentication import Authenticator
from chalicelib.ports.streams import Connection, ConnectionGoneError
from chalicelib.services.streams.connections import Connections
from chalicelib.services.streams.message_limit import LimitMessages
from chalicelib.services.streams.recent import Recent
from chalicelib.services.streams.subscription_limit import LimitSubscriptions

_MAX_CLOSED_SOCKETS = 1000


@dataclass(frozen=True, slots=True)
class AdmitMessages:
    """``now`` is in seconds since the epoch. Messages that are under way to sockets in ``closed`` are ignored."""

    connections: Connections
    messages: LimitMessages
    subscriptions: LimitSubscriptions
    authenticator: Authenticator
    now: Callable[[], int]
    closed: Recent[bool] = field(default_factory=lambda: Recent(_MAX_CLOSED_SOCKETS))

    def __call__(
        self,
        connection_id: str,
        request_id: str | int | None = None,
        *,
        subscribes: str | None = None,
        unsubscribes: str | None = None,
    ) -> Connection | None:
        """The connection of a message that may be performed. ``None`` if the socket is closed, at the latest by this.

        A socket whose credential has ended, or that sends too many messages, gets an error frame and is closed.
        ``subscribes`` and ``unsubscribes`` are subscriptions that the message begins or ends.

        :raises PushFailedError: if a socket that the engine has forgotten may still be open.
        """
        if self.closed.get(connection_id):
            return None
        try:
            connection = self._find(connection_id, subscribes, unsubscribes)
            if connection is not None:
                self._check_credential(connection)
                return connection
        except (ExpiredCredentialError, MissingCredentialError, TooManyMessagesError) as error:
            self._end(connection_id, error, request_id)
        else:
            self.connections.sockets.close(connection_id)
        self.closed.put(connection_id, True)
        return None

    def _find(self, connection_id: str, subscribes: str | None, unsubscribes: str | None) -> Connection | None:
        try:
            counted = self.messages.admit(connection_id)
        except ConnectionGoneError:
            return None
        if subscribes is not None:
            return self.subscriptions.add(connection_id, subscribes)
        if unsubscribes is not None:
            return self.subscriptions.remove(connection_id, unsubscribes)
        return counted or self.connections.find(connection_id)

    def _check_credential(self, connection: Connection) -> None:
        if connection.caller is None and self.authenticator.is_on:
            # The connection was opened before authentication was switched on.
            raise MissingCredentialError
        credential = connection.caller.credential if connection.caller else None
        if credential and credential.has_expired(self.now()):
            raise ExpiredCredentialError

    def _end(self, connection_id: str, error: RefusedError, request_id: str | int | None) -> None:
        observe.socket_closed(connection_id, type(error).__name__)
        self.connections.end_sender(connection_id, error, request_id)
