"""The hand-out of a stream's updates to its consumer, and the news of a reconnection that goes with it."""

from orderengine.core.commands import Deliver, Flow, Notify
from orderengine.core.streams import reconnects
from orderengine.core.streams.sockets import SocketLost
from orderengine.core.streams.source import Source


class Delivery:
    """Hands out what the source has ready, and tells ``on_reconnect`` once the stream is up to date again."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._session = source.session
        self._loss: SocketLost | None = None
        self._missed = 0
        self._attempts = 0
        #: What the stream uses now.
        self.transport = reconnects.SOCKET

    def note_loss(self, loss: SocketLost) -> None:
        """Remember why the stream is without a socket: the first reason counts."""
        self._loss = self._loss or loss

    def note_attempt(self) -> None:
        self._attempts += 1

    def hand_out(self) -> Flow[int]:
        """Deliver what is ready. The result is the number of updates."""
        source, number = self._source, 0
        while source.ready:
            update = source.ready[0]
            self._missed += self._loss is not None
            if source.is_terminal and len(source.ready) == 1:
                # The consumer may not come back from the last update.
                yield from self.announce()
            yield Deliver(update)
            source.acknowledge(update)
            number += 1
        return number

    def announce(self) -> Flow[None]:
        """Tell of a reconnection, if there was one."""
        loss, missed, attempts = self._loss, self._missed, self._attempts
        self._loss, self._missed, self._attempts = None, 0, 0
        if loss is None:
            return
        self._session.counters.reconnects += 1
        if self._session.options.on_reconnect:
            words = reconnects.words_of(loss.code)
            event = reconnects.Reconnect(
                self._source.name, loss.code, loss.reason, words, attempts, missed, self.transport
            )
            yield Notify(self._session.options.on_reconnect, (event,))
