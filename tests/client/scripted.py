"""A transport that answers from a script, in virtual time, for ``Client`` and ``AsyncClient``.

A ``Script`` has the answers to requests and the sockets that open, each in turn, and records what was asked.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, TypeAlias

from orderengine.core.commands import HandshakeRefused, Request, Response, SocketClosed, Unreachable

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)

#: An answer to a request: made by a function of the request, or raised.
Answer: TypeAlias = Response | BaseException | Callable[[Request], Response]


@dataclass(frozen=True)
class Pause:
    """Silence on a socket for so many seconds of virtual time."""

    seconds: float


#: What a socket gives: a message, an object to be sent as JSON, silence, or its end.
Frame: TypeAlias = str | Mapping[str, Any] | Pause | BaseException


@dataclass(frozen=True)
class Late:
    """An answer that comes after so many seconds; with a shorter timeout, the try ends without one."""

    seconds: float
    answer: Answer


@dataclass
class Script:
    """Answers in turn, a virtual clock, and a record of what was asked. The last answer of ``forever`` repeats."""

    answers: deque[Answer | Late] = field(default_factory=deque)
    sockets: "deque[ScriptedSocket | BaseException]" = field(default_factory=deque)
    forever: Answer | Late | None = None
    clock: float = 1000.0
    #: The difference of this machine's clock to the true time.
    clock_error: timedelta = timedelta()
    requests: list[Request] = field(default_factory=list)
    opened: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    sleeps: list[float] = field(default_factory=list)
    is_closed: bool = False

    def then(self, *answers: Answer | Late) -> "Script":
        self.answers.extend(answers)
        return self

    def then_socket(self, *frames: Frame) -> "ScriptedSocket":
        """Another socket to open, which gives these frames. A socket without an end stays silent after them."""
        socket = ScriptedSocket(self, deque(frames))
        self.sockets.append(socket)
        return socket

    def true_time(self) -> datetime:
        return START + timedelta(seconds=self.clock - 1000.0)

    def now(self) -> datetime:
        return self.true_time() + self.clock_error

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.clock += seconds

    def send(self, request: Request, timeout: float) -> Response:
        self.requests.append(request)
        answer = self.answers.popleft() if self.answers else self.forever
        assert answer is not None, f"no answer is left for {request.method} {request.path}"
        if isinstance(answer, Late):
            self.clock += min(answer.seconds, timeout)
            if answer.seconds > timeout:
                raise Unreachable(f"no answer after {timeout} s", sent=True)
            answer = answer.answer
        if isinstance(answer, BaseException):
            raise answer
        return answer if isinstance(answer, Response) else answer(request)

    def open(
        self, path: str, query: tuple[tuple[str, str], ...], headers: Mapping[str, str], timeout: float
    ) -> "ScriptedSocket":
        self.opened.append((path, dict(query), dict(headers)))
        assert self.sockets, f"no socket is left for {path}"
        socket = self.sockets.popleft()
        if isinstance(socket, BaseException):
            raise socket
        return socket

    def bodies(self) -> list[Any]:
        """The JSON bodies of the requests so far."""
        return [json.loads(one.body) if one.body else None for one in self.requests]


@dataclass
class ScriptedSocket:
    """A socket that gives its frames in turn. ``written`` has the messages that the client sent on it."""

    script: Script
    frames: deque[Frame]
    written: list[Any] = field(default_factory=list)
    is_closed: bool = False
    #: Called with each message of the client; may push frames.
    on_write: "Callable[[ScriptedSocket, Any], None] | None" = None

    def receive(self, timeout: float) -> str | None:
        if not self.frames:
            self.script.clock += timeout
            return None
        frame = self.frames.popleft()
        if isinstance(frame, Pause):
            self.script.clock += min(frame.seconds, timeout)
            if frame.seconds <= timeout:
                return self.receive(timeout - frame.seconds)
            self.frames.appendleft(Pause(frame.seconds - timeout))
            return None
        if isinstance(frame, BaseException):
            self.frames.appendleft(frame)
            raise frame
        return frame if isinstance(frame, str) else json.dumps(frame)

    def write(self, text: str) -> None:
        if self.is_closed or (self.frames and isinstance(self.frames[0], SocketClosed)):
            raise SocketClosed(1006)
        self.written.append(json.loads(text))
        if self.on_write is not None:
            self.on_write(self, self.written[-1])

    def close(self) -> None:
        self.is_closed = True


class ScriptedTransport:
    """``Transport`` over a script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.send, self.open, self.sleep, self.now = script.send, script.open, script.sleep, script.now

    def monotonic(self) -> float:
        return self.script.clock

    def close(self) -> None:
        self.script.is_closed = True


class AsyncScriptedSocket:
    """``AsyncSocket`` over a scripted one. Each call gives other tasks a turn."""

    def __init__(self, socket: ScriptedSocket) -> None:
        self._socket = socket

    async def receive(self, timeout: float) -> str | None:
        await asyncio.sleep(0)
        return self._socket.receive(timeout)

    async def write(self, text: str) -> None:
        await asyncio.sleep(0)
        self._socket.write(text)

    async def close(self) -> None:
        await asyncio.sleep(0)
        self._socket.close()


class AsyncScriptedTransport:
    """``AsyncTransport`` over a script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.now = script.now

    async def send(self, request: Request, timeout: float) -> Response:
        await asyncio.sleep(0)
        return self.script.send(request, timeout)

    async def open(
        self, path: str, query: tuple[tuple[str, str], ...], headers: Mapping[str, str], timeout: float
    ) -> AsyncScriptedSocket:
        await asyncio.sleep(0)
        return AsyncScriptedSocket(self.script.open(path, query, headers, timeout))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.script.sleep(seconds)

    def monotonic(self) -> float:
        return self.script.clock

    async def close(self) -> None:
        self.script.is_closed = True


def answer(
    status: int, body: Any = None, *, headers: Mapping[str, str] | None = None, date: datetime | None = None
) -> Response:
    """A JSON answer of the engine; a problem document if the status is one of a failure."""
    kind = "application/json" if status < 400 else "application/problem+json"
    dated = {"date": format_datetime(date, usegmt=True)} if date else {}
    return Response(status, {"content-type": kind, **dated, **(headers or {})}, json.dumps(body).encode())


def problem(status: int, code: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    body = {"type": "about:blank", "title": code.title(), "status": status, "code": code, "detail": "", **more}
    return answer(status, body, headers=headers)


def refused_handshake(status: int, code: str) -> HandshakeRefused:
    return HandshakeRefused(problem(status, code))


def lost(*, sent: bool = True) -> Unreachable:
    """No answer; with ``sent`` the engine may have got the request."""
    return Unreachable("the connection broke", sent=sent)
