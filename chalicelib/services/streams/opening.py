"""Streams of connections whose ``$connect`` may not have returned yet."""

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.ports.streams import ConnectionGoneError, Sockets, StreamStore
from chalicelib.services.streams.subscriptions import Subscriptions
from chalicelib.services.streams.user_streams import UserStreams

#: A connection accepts pushes once its ``$connect`` has returned: a few milliseconds after it queued the stream.
PAUSES_SECONDS = (0.01, 0.05, 0.2, 0.8)


@dataclass(frozen=True, slots=True)
class OpeningSockets:
    """``Sockets`` that wait for connections whose ``$connect`` is about to return."""

    sockets: Sockets
    streams: StreamStore
    sleep: Callable[[float], None]

    def push(self, connection_id: str, text: str) -> None:
        for number, pause in enumerate(PAUSES_SECONDS):
            try:
                return self.sockets.push(connection_id, text)
            except ConnectionGoneError:
                # The first pauses are shorter than a look at the connection.
                if number > 1 and self.streams.connection(connection_id) is None:
                    raise
                self.sleep(pause)
        return self.sockets.push(connection_id, text)


@dataclass(frozen=True, slots=True)
class OpeningStreams:
    """The streams that the addresses of new connections ask for."""

    sockets: OpeningSockets
    subscriptions: Subscriptions
    user_streams: UserStreams
