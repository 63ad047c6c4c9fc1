"""The line between a client and a deployment: requests, sockets, and the answers that get lost on it."""

from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import TypeVar
from uuid import UUID

from chalicelib.settings import MAX_FRAME_BYTES
from chalicelib.streaming import actions, connections
from orderengine.core.commands import HandshakeRefused, Request, Response, SocketClosed, Unreachable
from orderengine.testing import gateway
from orderengine.testing.concurrent import ConcurrentDeployment
from orderengine.testing.front_door import rewritten, stream_of
from orderengine.testing.hub import Killed
from orderengine.testing.sockets import Mailbox
from orderengine.testing.stream_judge import judge_of

#: API Gateway waits so long for a function.
GATEWAY_SECONDS = 29
_TOO_BIG = 1009

Result = TypeVar("Result")


@dataclass
class LostAnswers:
    """The next ``count`` answers get lost, and of the others the share ``rate``."""

    random: Random
    count: int = 0
    rate: float = 0.0

    def loses(self) -> bool:
        if self.count:
            self.count -= 1
            return True
        return bool(self.rate) and self.random.random() < self.rate


class Line:
    """All calls must be made in the thread of the deployment."""

    def __init__(self, deployment: ConcurrentDeployment, losses: LostAnswers) -> None:
        self._deployment = deployment
        self._losses = losses
        self._opened = 0
        self._messages = count(1)

    def request(self, request: Request, headers: gateway.Headers | None = None) -> "Future[Response]":
        """Send a request; ``answer_of`` reads the future after ``GATEWAY_SECONDS`` at the latest.

        ``headers`` take the place of those of the request, which can have no name twice.
        """
        deployment, request_id = self._deployment, self._new_id()
        lines = gateway.lines_of(request.headers if headers is None else headers)
        return deployment.invoke(lambda: gateway.answer(request, lines, request_id, deployment.clock.now()))

    def answer_of(self, answered: "Future[Response]") -> Response:
        """The answer. The gateway gives one for a handler that was killed or has not ended.

        :raises Unreachable: if it got lost.
        """
        response = self._result(answered) or self._unavailable()
        if self._losses.loses():
            raise Unreachable("the answer got lost", sent=True)
        return response

    def open(self, path: str, parameters: tuple[tuple[str, str], ...], headers: gateway.Headers) -> "Future[Mailbox]":
        """Open a socket; ``socket_of`` reads what the future holds once it is done."""
        deployment, request_id = self._deployment, self._new_id()
        query = dict(gateway.lines_of(parameters))
        of_path = stream_of(rewritten(path))
        if of_path is None:
            raise HandshakeRefused(gateway.bare(404, request_id, deployment.clock.now()))
        query |= {name: [value] for name, value in of_path.items()}
        self._opened += 1
        connection_id = f"socket-{self._opened}"
        event = {
            "requestContext": {"connectionId": connection_id, "requestId": request_id},
            "headers": dict(headers),
            "multiValueHeaders": gateway.lines_of(headers),
            "multiValueQueryStringParameters": query or None,
        }

        def handshake() -> Mailbox:
            answered = connections.connect(deployment.engine, event)
            if answered["statusCode"] != 200:
                now = deployment.clock.now()
                raise HandshakeRefused(gateway.refused(answered["statusCode"], connection_id, request_id, now))
            connection, chosen = deployment.streams.connection(connection_id), answered.get("headers", {})
            caller = connection.caller if connection else None
            judge = judge_of(connection_id, query, caller)
            mailbox = Mailbox(connection_id, deployment.clock.now_ms(), judge, chosen.get("Sec-WebSocket-Protocol"))
            deployment.sockets.accept(mailbox)
            return mailbox

        return deployment.invoke(handshake)

    def socket_of(self, opened: "Future[Mailbox]") -> Mailbox:
        """The client's end of a socket.

        :raises HandshakeRefused: if the engine refuses it, and by the gateway as in ``answer_of``.
        """
        mailbox = self._result(opened)
        if mailbox is None:
            raise HandshakeRefused(self._unavailable())
        return mailbox

    def write(self, mailbox: Mailbox, text: str) -> None:
        """Send a message.

        :raises SocketClosed: if the socket is closed.
        """
        if mailbox.closed:
            raise SocketClosed(*mailbox.closed)
        mailbox.active_ms = self._deployment.clock.now_ms()
        if len(text.encode()) > MAX_FRAME_BYTES:
            self.close(mailbox, (_TOO_BIG, "Message too long"))
            return
        mailbox.judge.note_message(text)
        deployment = self._deployment
        # Not of the deployment's chance, which a message on a socket leaves as it is.
        request_id = f"{mailbox.connection_id}-{next(self._messages)}"
        event = {
            "requestContext": {"connectionId": mailbox.connection_id, "requestId": request_id},
            "body": text,
        }
        deployment.watch(deployment.invoke(lambda: actions.handle_message(deployment.engine, event)), "a message")

    def close(self, mailbox: Mailbox, why: tuple[int, str] = (1000, "")) -> None:
        """Close a socket."""
        if self._deployment.sockets.leave(mailbox.connection_id, *why):
            self._deployment.disconnect(mailbox.connection_id)

    def _new_id(self) -> str:
        return str(UUID(int=self._deployment.random.getrandbits(128), version=4))

    def _unavailable(self) -> Response:
        return gateway.bare(503, self._new_id(), self._deployment.clock.now())

    @staticmethod
    def _result(begun: "Future[Result]") -> Result | None:
        """The result of an invocation; ``None`` if it was killed or has not ended."""
        with suppress(Killed):
            return begun.result(0) if begun.done() else None
        return None
