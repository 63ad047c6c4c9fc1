"""The engine as an ASGI application: HTTP and WebSocket on one port, with the controls under ``/sim``."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from orderengine.core.commands import HandshakeRefused, Request, Response, SocketClosed, Unreachable
from orderengine.testing.controls import PREFIX, control
from orderengine.testing.handle import VirtualEngine
from orderengine.testing.line import GATEWAY_SECONDS
from orderengine.testing.sockets import ABNORMAL, Mailbox
from orderengine.testing.wire import break_off

#: How often virtual time catches up with real time, and a socket looks for new frames.
_TICK_SECONDS = 0.005

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_Pairs = tuple[tuple[str, str], ...]


class Site:
    """The ASGI application of an engine."""

    def __init__(self, engine: VirtualEngine) -> None:
        self._engine = engine
        self._driver, self._line = engine.driver, engine.line
        self._open_sockets = 0

    async def keep_going(self) -> None:
        """Let everything happen that is due, until cancelled. Time passes by real time, unless waits skip it.

        An open socket waits for the orders that execute, and not for what may happen to open ones.
        """
        last = time.monotonic()
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            # Whole milliseconds: the clock has no shorter times, and must not lose them.
            passed = int((time.monotonic() - last) * 1000) / 1000
            last += passed
            if not self._driver.skips_time:
                self._driver.advance(passed)
            elif self._open_sockets:
                self._driver.go_on()
            else:
                self._driver.advance(0)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)

    # --- HTTP ---------------------------------------------------------------------------------------------

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        path, query, headers = _address(scope)
        if path.startswith(PREFIX):
            response = await asyncio.to_thread(control, self._engine, scope["method"], path, body)
        else:
            try:
                response = await self._answer(Request(scope["method"], path, query, {}, body or None), headers)
            except Unreachable:
                await break_off(scope)
                return
        await _respond(response, "http", send)

    async def _answer(self, request: Request, headers: _Pairs) -> Response:
        answered = self._driver.call(partial(self._line.request, request, headers))
        await self._driver.wait_async(answered.done, GATEWAY_SECONDS)
        return self._driver.call(partial(self._line.answer_of, answered))

    # --- sockets ------------------------------------------------------------------------------------------

    async def _socket(self, scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        try:
            opened = self._driver.call(partial(self._line.open, *_address(scope)))
            await self._driver.wait_async(opened.done, GATEWAY_SECONDS)
            mailbox = self._driver.call(partial(self._line.socket_of, opened))
        except HandshakeRefused as refused:
            await _respond(refused.response, "websocket.http", send)
            return
        await send({"type": "websocket.accept", "subprotocol": mailbox.subprotocol})
        reading = asyncio.create_task(self._read(mailbox, receive))
        self._open_sockets += 1
        try:
            code, reason = await _write(mailbox, send)
            if code == ABNORMAL:
                await break_off(scope)
            else:
                await send({"type": "websocket.close", "code": code, "reason": reason})
        finally:
            self._open_sockets -= 1
            reading.cancel()

    async def _read(self, mailbox: Mailbox, receive: Receive) -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self._driver.call(partial(self._line.close, mailbox))
                return
            try:
                text = message.get("text") or ""
                self._driver.call(partial(self._line.write, mailbox, text))
            except SocketClosed:
                return


def _address(scope: Message) -> tuple[str, _Pairs, _Pairs]:
    """The path, the query and the headers of a request. A name may come twice."""
    path = scope["raw_path"].decode().partition("?")[0]
    query = tuple(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
    return path, query, tuple((name.decode(), value.decode("latin-1")) for name, value in scope["headers"])


async def _write(mailbox: Mailbox, send: Send) -> tuple[int, str]:
    """Send frames until the socket is closed; returns how it was."""
    while True:
        while mailbox.frames:
            await send({"type": "websocket.send", "text": mailbox.frames.popleft()})
        if mailbox.closed:
            return mailbox.closed
        await asyncio.sleep(_TICK_SECONDS)


async def _respond(response: Response, kind: str, send: Send) -> None:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in response.headers.items()]
    length = [] if "content-length" in response.headers else [(b"content-length", str(len(response.body)).encode())]
    await send({"type": f"{kind}.response.start", "status": response.status, "headers": headers + length})
    await send({"type": f"{kind}.response.body", "body": response.body})
