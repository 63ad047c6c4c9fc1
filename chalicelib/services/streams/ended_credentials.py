"""Sockets whose credential has ended: they are closed within a minute, whether or not their clients send messages.

An environment may take a revoked API key for live as long as its cache says so. It may open a socket meanwhile, so
each revocation closes sockets twice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import to_seconds
from chalicelib.domain.errors import ExpiredCredentialError, InvalidCredentialError
from chalicelib.domain.identity import Credential
from chalicelib.observability import streams as observe
from chalicelib.ports.authentication import Authenticator
from chalicelib.ports.queues import ReplayQueue
from chalicelib.ports.socket_limits import UserSockets
from chalicelib.ports.streams import CheckSocket, CloseSockets, Connection, PushFailedError
from chalicelib.services.streams.connections import Connections

#: The age of an answer of ``Authenticator.is_live`` is 30 seconds at most, and a handshake takes some more.
REPEAT_SECONDS = 45


def queue_revocation(replays: ReplayQueue, user_id: str, credential_id: str) -> None:
    """Let the replay queue close the sockets of a credential that was revoked just now."""
    for delay_seconds in (0, REPEAT_SECONDS):
        replays.send([CloseSockets(user_id, credential_id)], delay_seconds=delay_seconds)


@dataclass(frozen=True, slots=True)
class EndedCredentials:
    connections: Connections
    user_sockets: UserSockets
    authenticator: Authenticator
    now: Callable[[], datetime]

    def check(self, check: CheckSocket) -> None:
        """Close a connection whose credential has ended; look again later at one whose credential has not.

        :raises PushFailedError: if the socket may still be open.
        """
        if to_seconds(self.now()) >= check.ends_at:
            self.connections.end(check.connection_id, ExpiredCredentialError())
        elif self.connections.find(check.connection_id):
            self.connections.queue_check(check)

    def close_sockets(self, revoked: CloseSockets) -> None:
        """Close the sockets of a user's credential, if it is revoked.

        :raises PushFailedError: if one of the sockets may still be open.
        """
        listed = {one: self.connections.find(one) for one in self.user_sockets.of(revoked.user_id)}
        # The function that was closing a socket without a connection may have died.
        half_closed = [one for one, connection in listed.items() if connection is None]
        ended = [one for one, connection in listed.items() if _is_of(connection, revoked.credential_id)]
        if ended and self.authenticator.is_live(Credential(revoked.credential_id)):
            ended = []
        observe.sockets_revoked(revoked.credential_id, len(ended))
        failed = [one for one in [*ended, *half_closed] if not self._close(one)]
        if half_closed:
            self.user_sockets.remove(revoked.user_id, set(half_closed) - set(failed))
        if failed:
            raise PushFailedError(", ".join(failed))

    def _close(self, connection_id: str) -> bool:
        try:
            self.connections.end(connection_id, InvalidCredentialError())
        except PushFailedError:
            return False
        return True


def _is_of(connection: Connection | None, credential_id: str) -> bool:
    credential = connection.caller.credential if connection and connection.caller else None
    return credential is not None and credential.id == credential_id
