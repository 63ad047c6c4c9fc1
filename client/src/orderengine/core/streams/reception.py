"""What a stream does with the frames of a socket, and with its silence."""

from orderengine import errors
from orderengine.core.commands import Flow, Monotonic
from orderengine.core.streams import reconnects
from orderengine.core.streams.deadlines import FAILURES
from orderengine.core.streams.delivery import Delivery
from orderengine.core.streams.frames import Frame, Live, Refusal
from orderengine.core.streams.pacing import Pacer
from orderengine.core.streams.polling import Polling
from orderengine.core.streams.sockets import PING_ID, SocketLost, StreamSocket
from orderengine.core.streams.source import Source
from orderengine.core.transience import is_final
from orderengine.models.orders import Update

#: The pause between two audits, which find what a socket has lost, though the engine promises that none does.
AUDIT_SECONDS = 240.0
#: The pause after an audit that failed.
_AUDIT_RETRY_SECONDS = 30.0
_FULL = ("TOO_MANY_SOCKETS", "TOO_MANY_SUBSCRIPTIONS")


class Reception:
    """Takes the frames of sockets into the source, fills gaps by HTTP, and audits the sockets."""

    def __init__(self, source: Source, delivery: Delivery, polling: Polling, pacer: Pacer) -> None:
        self._source = source
        self._delivery = delivery
        self._polling = polling
        self._pacer = pacer
        self._session = source.session
        self._deadline = source.deadline

    def turn(self, socket: StreamSocket, limit: float) -> Flow[None]:
        """Receive one frame within so many seconds, and audit the socket if it is time to, or if it is silent.

        :raises SocketLost: if the stream needs another socket.
        """
        self._delivery.transport = reconnects.SOCKET
        frame = yield from socket.receive(self._session, limit)
        if frame is not None:
            yield from self._take(socket, frame)
        now: float = yield Monotonic()
        is_due = socket.needs_audit or now - self._polling.polled_at >= AUDIT_SECONDS
        if is_due and not self._source.is_terminal:
            self._polling.polled_at = now
            yield from self._audit(socket)

    def _take(self, socket: StreamSocket, frame: Frame) -> Flow[None]:
        if isinstance(frame, Update):
            self._session.counters.frames += 1
            self._source.take(frame, socket.is_live)
        elif isinstance(frame, Live):
            yield from self._take_live(socket, frame)
        elif isinstance(frame, Refusal):
            yield from self._take_refusal(frame)
        yield from self._delivery.hand_out()
        if self._source.has_gap:
            yield from self._fill()
        if socket.is_live:
            yield from self._delivery.announce()

    def _take_live(self, socket: StreamSocket, frame: Live) -> Flow[None]:
        try:
            is_live = yield from self._source.live(frame)
        except FAILURES as error:
            if is_final(error):
                raise
            raise SocketLost(None, f"a request about the stream failed: {error}") from error
        socket.is_live = socket.is_live or is_live

    def _fill(self) -> Flow[None]:
        try:
            yield from self._source.fill()
        except FAILURES as error:
            if is_final(error):
                raise
        yield from self._delivery.hand_out()
        if self._source.has_gap:
            # The next socket brings everything after the last update without a gap.
            raise SocketLost(None, "an update is missing, and no request has brought it")

    def _audit(self, socket: StreamSocket) -> Flow[None]:
        """Ask by HTTP whether the socket withholds events.

        :raises SocketLost: if the socket is silent, and does.
        """
        is_silent, socket.needs_audit = socket.needs_audit, False
        try:
            yield from self._source.poll(0)
        except FAILURES as error:
            if is_final(error):
                raise
            if not is_silent:
                self._polling.polled_at -= AUDIT_SECONDS - _AUDIT_RETRY_SECONDS
                return
            raise SocketLost(None, f"the socket is silent, and a request failed: {error}") from error
        handed = yield from self._delivery.hand_out()
        if handed and is_silent and not self._source.is_terminal:
            raise SocketLost(None, "the socket withheld an update that HTTP has")

    def _take_refusal(self, refusal: Refusal) -> Flow[None]:
        """
        :raises StreamRefused, ProblemError: if the refusal is final.
        :raises SocketLost: if it is not.
        """
        if refusal.is_final and refusal.request_id == PING_ID:
            return
        if refusal.is_final:
            # HTTP raises the same problem with all its fields, unless it concerns this socket alone.
            yield from self._polling.poll(0)
            if self._source.is_terminal:
                return
            if refusal.status != 404:
                raise errors.StreamRefused(refusal.code, refusal.detail, self._source.last[0])
        now = yield from self._deadline.now()
        if refusal.code in _FULL:
            self._pacer.leave_sockets(now)
        elif refusal.retry_after:
            yield from self._deadline.sleep(refusal.retry_after)
        raise SocketLost(None, f"{refusal.code}: {refusal.detail}")
