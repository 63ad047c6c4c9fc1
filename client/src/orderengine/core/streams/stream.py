"""Streams that lose nothing: a socket while there is one, else polls, and no difference in what is handed out."""

from collections.abc import Iterable

from orderengine.core import commands
from orderengine.core.answers import problem_of
from orderengine.core.commands import CloseSocket, Flow, Monotonic, Random
from orderengine.core.streams.deadlines import FAILURES, TimeIsOver
from orderengine.core.streams.delivery import Delivery
from orderengine.core.streams.pacing import DETOUR_SECONDS, Pacer, asked_seconds
from orderengine.core.streams.polling import Polling
from orderengine.core.streams.reception import Reception
from orderengine.core.streams.sockets import SocketLost, StreamSocket, open_socket
from orderengine.core.streams.source import Source

#: How long a new socket may take to be up to date before the stream keeps the old one.
_RENEWAL_WAIT_SECONDS = 60.0
#: The turn of each of two sockets during a renewal.
_TURN_SECONDS = 0.2


class Stream:
    """Delivers the updates of a source, through any failures, until the source is terminal or the time is over."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._deadline = source.deadline
        self._pacer = Pacer()
        self._delivery = Delivery(source)
        self._polling = Polling(source, self._delivery, self._pacer)
        self._reception = Reception(source, self._delivery, self._polling, self._pacer)
        self._sockets: list[StreamSocket] = []

    def flow(self) -> Flow[None]:
        """
        :raises DeadlineExceeded: at the deadline.
        :raises StreamRefused, ProblemError: if the engine ends the stream for good.
        :raises NotTheEngine, Unreachable: if no engine answers at the start.
        """
        self._polling.begin((yield from self._deadline.begin()))
        try:
            while not self._source.is_terminal:
                now = yield from self._deadline.now()
                yield from self._by_socket() if self._pacer.may_open(now) else self._polling.step()
            yield from self._delivery.hand_out()
        except TimeIsOver:
            yield from self._delivery.hand_out()
            if not self._source.is_terminal:
                raise self._deadline.exceeded(f"{self._source.name}, which goes on", *self._source.last) from None
        finally:
            yield from self._close(list(self._sockets))

    def _by_socket(self) -> Flow[None]:
        try:
            socket = yield from self._open()
            while socket and not self._source.is_terminal:
                now = yield from self._deadline.now()
                if now >= socket.renew_at:
                    socket = yield from self._renew(socket)
                yield from self._reception.turn(socket, min(self._deadline.left(now), socket.renew_at - now))
        except SocketLost as loss:
            yield from self._drop(loss)

    def _open(self) -> Flow[StreamSocket | None]:
        self._delivery.note_attempt()
        try:
            socket = yield from self._new_socket()
        except commands.HandshakeRefused as refused:
            problem = problem_of(refused.response)
            self._delivery.note_loss(SocketLost(None, f"no socket: {problem}"))
            yield from self._refused(refused.response.status, asked_seconds(problem))
        except commands.Unreachable as error:
            self._delivery.note_loss(SocketLost(None, f"no socket: {error}"))
            yield from self._refused(503)
        except FAILURES as error:
            self._delivery.note_loss(SocketLost(None, f"no ticket for a socket: {error}"))
            yield from self._polling.failed(error)
        else:
            return socket
        return None

    def _new_socket(self) -> Flow[StreamSocket]:
        session = yield from self._deadline.attempt(self._source.session)
        socket = yield from open_socket(session, self._source.query())
        self._sockets.append(socket)
        self._source.opened()
        self._polling.has_met = True
        for message in self._source.subscribe_messages():
            yield from socket.write(message)
        return socket

    def _refused(self, status: int, asked: float = 0.0) -> Flow[None]:
        """There is no socket. A poll tells whether the credential or the engine is the reason."""
        if (yield from self._polling.poll(0)) is None or self._source.is_terminal:
            return
        now = yield from self._deadline.now()
        if status < 500:
            self._pacer.leave_sockets(now)
        else:
            self._pacer.socket_failed(now)
            yield from self._deadline.sleep(self._pacer.request_pause((yield Random()), asked))

    def _drop(self, loss: SocketLost) -> Flow[None]:
        now: float = yield Monotonic()
        lived = max((now - one.opened_at for one in self._sockets), default=0.0)
        yield from self._close(list(self._sockets))
        self._delivery.note_loss(loss)
        self._pacer.socket_ended(now, lived)
        yield from self._deadline.sleep(self._pacer.socket_pause((yield Random())))

    def _close(self, sockets: Iterable[StreamSocket]) -> Flow[None]:
        for socket in sockets:
            self._sockets.remove(socket)
            yield CloseSocket(socket.handle)

    def _renew(self, old: StreamSocket) -> Flow[StreamSocket]:
        """A new socket that is up to date; the old one if there is none. No moment is without a socket."""
        now = yield from self._deadline.now()
        old.renew_at = now + DETOUR_SECONDS
        try:
            fresh = yield from self._new_socket()
        except (commands.HandshakeRefused, commands.Unreachable, SocketLost, *FAILURES):
            yield from self._close([one for one in self._sockets if one is not old])
            return old
        try:
            yield from self._catch_up(fresh, old, now + _RENEWAL_WAIT_SECONDS)
        except SocketLost:
            if old not in self._sockets:
                raise
            yield from self._close([fresh])
            return old
        yield from self._close([one for one in self._sockets if one is not fresh])
        self._source.session.counters.renewals += 1
        return fresh

    def _catch_up(self, fresh: StreamSocket, old: StreamSocket, until: float) -> Flow[None]:
        """Serve both sockets until the new one is up to date."""
        while not fresh.is_live and not self._source.is_terminal:
            now = yield from self._deadline.now()
            if now >= until:
                raise SocketLost(None, "the new socket is not up to date")
            yield from self._reception.turn(fresh, _TURN_SECONDS)
            if old in self._sockets:
                try:
                    yield from self._reception.turn(old, 0.0)
                except SocketLost:
                    yield from self._close([old])
