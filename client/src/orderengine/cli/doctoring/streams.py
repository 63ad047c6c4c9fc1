"""The ways by which events come: sockets and long polls."""

import json
from collections.abc import Iterator
from typing import Any

from orderengine import Client, errors
from orderengine.cli.doctoring.check import Check, State
from orderengine.cli.settings import Settings
from orderengine.core import commands
from orderengine.core.answers import problem_of
from orderengine.core.exact_json import loads
from orderengine.io.transport import Socket, Transport

_SECONDS = 15.0
_LONG_POLL = "without sockets, watching falls back to long polls, which are slower"


def sockets(settings: Settings, transport: Transport) -> Iterator[Check]:
    """A handshake, a ping, and the stream of a user until it is live."""
    key = settings.known_key
    headers = {"authorization": f"Bearer {key}"} if key else {}
    started = transport.monotonic()
    try:
        socket = transport.open("/ws", (), headers, _SECONDS)
    except commands.HandshakeRefused as error:
        yield Check("socket", State.FAIL, f"the handshake is refused: {problem_of(error.response)}", _LONG_POLL)
        return
    except commands.Unreachable as error:
        yield Check("socket", State.FAIL, f"no handshake: {error}", f"let the proxy pass WebSockets; {_LONG_POLL}")
        return
    try:
        opened = transport.monotonic() - started
        yield Check("socket", State.OK, f"the handshake takes {opened * 1000:.0f} ms")
        yield _told(transport, socket, "ping", {"action": "ping"}, "pong")
        user = settings.known_user or "doctor"
        yield _told(transport, socket, "live", {"action": "subscribe", "userId": user}, "live")
    finally:
        socket.close()


def _told(transport: Transport, socket: Socket, name: str, message: dict[str, Any], answer: str) -> Check:
    """Whether a message gets its answer."""
    started = transport.monotonic()
    try:
        socket.write(json.dumps(message))
        while (left := started + _SECONDS - transport.monotonic()) > 0:
            text = socket.receive(left)
            frame = loads(text) if text is not None else None
            if isinstance(frame, dict) and frame.get("type") == answer:
                took = (transport.monotonic() - started) * 1000
                return Check(name, State.OK, f"{answer} comes after {took:.0f} ms")
            if isinstance(frame, dict) and frame.get("type") == "error":
                return Check(name, State.WARN, f"{frame.get('code')}: {frame.get('detail')}", _LONG_POLL)
    except commands.SocketClosed as error:
        return Check(name, State.FAIL, f"the socket closes: {error}", f"something in between cuts it; {_LONG_POLL}")
    except ValueError:
        return Check(name, State.FAIL, "a frame that is not JSON", "something in between changes frames")
    return Check(name, State.FAIL, f"no {answer} within {_SECONDS:.0f} s", f"the socket is mute; {_LONG_POLL}")


def long_poll(client: Client, transport: Transport) -> Iterator[Check]:
    try:
        newest = next(client.orders(limit=1), None)
        if newest is None:
            yield Check("long poll", State.SKIP, "the user has no order to wait for")
            return
        started = transport.monotonic()
        client.events(newest.id, after=newest.seq, wait=1)
        took = transport.monotonic() - started
    except errors.OrderEngineError as error:
        yield Check("long poll", State.WARN, str(error), "watching falls back to polls where sockets fail too")
        return
    yield Check("long poll", State.OK, f"answers after {took:.1f} s of at most 1 s")
