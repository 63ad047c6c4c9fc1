"""The smoke test passes a sound engine, and names the step at a front door or an engine that breaks one thing."""

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import pytest

from chalicelib.domain.status import TERMINAL
from chalicelib.settings import Settings
from infra.ops.outside import FRAME_SECONDS
from infra.ops.smoke import SmokeError, smoke
from orderengine.testing import server
from orderengine.testing.handle import VirtualEngine
from orderengine.testing.site import Message, Receive, Send, Site

App = Callable[[Message, Receive, Send], Awaitable[None]]


def test_the_smoke_test_waits_for_longer_than_the_watchdog_lets_an_order_wait_in_a_backlog() -> None:
    [patience] = [field.default for field in fields(Settings) if field.name == "backlog_patience_seconds"]
    assert isinstance(patience, int)
    assert patience < FRAME_SECONDS


class Door:
    """A front door that lets everything through, and breaks nothing."""

    async def __call__(self, site: App, scope: Message, receive: Receive, send: Send) -> None:
        await site(scope, receive, send)


class Answering(Door):
    """Answers some requests itself; the first ``after`` of them reach the engine."""

    def __init__(self, method: str, path: str, status: int, body: Any, *, after: int = 0) -> None:
        self._method, self._path, self._after = method, path, after
        self._status, self._body = status, json.dumps(body).encode()

    async def __call__(self, site: App, scope: Message, receive: Receive, send: Send) -> None:
        if scope.get("method") != self._method or not re.fullmatch(self._path, scope["path"]):
            await site(scope, receive, send)
        elif self._after:
            self._after -= 1
            await site(scope, receive, send)
        else:
            await _answer(send, self._status, self._body)


class Cache(Door):
    """Keeps the errors that answer a GET, each for its path."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Message]] = {}

    async def __call__(self, site: App, scope: Message, receive: Receive, send: Send) -> None:
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)
            await send(message)

        if scope.get("method") == "GET" and scope["path"] in self._kept:
            for message in self._kept[scope["path"]]:
                await send(message)
            return
        await site(scope, receive, keep)
        if scope.get("method") == "GET" and sent[0]["status"] >= 400:
            self._kept[scope["path"]] = sent


class Frames(Door):
    """Loses the frame with one ``seq``, or closes the socket in its place."""

    def __init__(self, seq: int, *, closes: bool) -> None:
        self._seq, self._closes = f'"seq":{seq},', closes

    async def __call__(self, site: App, scope: Message, receive: Receive, send: Send) -> None:
        closed = False

        async def some(message: Message) -> None:
            nonlocal closed
            if closed or self._seq not in message.get("text", "").replace(" ", ""):
                await (_nothing() if closed else send(message))
            elif self._closes:
                closed = True
                await send({"type": "websocket.close", "code": 1001, "reason": ""})

        await site(scope, receive, some if scope["type"] == "websocket" else send)


class Moved(Door):
    """Takes a path for the stream path ``/ws``, and lets in every handshake on it if it has a ``key``."""

    def __init__(self, path: str, *, key: str | None = None) -> None:
        self._path, self._key = path, key

    async def __call__(self, site: App, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and scope["path"] == self._path:
            headers = [(b"authorization", f"Bearer {self._key}".encode())] if self._key else scope["headers"]
            scope = {**scope, "path": "/ws", "raw_path": b"/ws", "headers": headers}
        await site(scope, receive, send)


async def _nothing() -> None: ...


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class DoctoredSite(Site):
    """The engine's site behind a door."""

    door = Door()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        await self.door(super().__call__, scope, receive, send)


@contextmanager
def served(**settings: object) -> Iterator[VirtualEngine]:
    """An engine whose venues answer at once."""
    engine = VirtualEngine("smoke", {"venue_time_scale": "0", **settings}, real_time=True)
    try:
        yield engine
    finally:
        engine.close()


@pytest.fixture(autouse=True)
def door(monkeypatch: pytest.MonkeyPatch) -> Callable[[Door], None]:
    """Puts a door before the engines that a test serves."""
    monkeypatch.setattr(server, "Site", DoctoredSite)
    return lambda door: monkeypatch.setattr(DoctoredSite, "door", door)


def smoked(engine: VirtualEngine, key: str | None = None) -> list[str]:
    address = engine.serve()
    return smoke(address, address.replace("http", "ws", 1), key)


def unfinished(engine: VirtualEngine) -> list[str]:
    return [order_id for order_id, order in engine.orders.items() if order.status not in TERMINAL]


@pytest.mark.parametrize("auth", [False, True], ids=["open", "locked"])
def test_a_sound_engine_passes_every_step_and_keeps_no_open_order(auth: bool) -> None:
    said: list[str] = []
    with served(auth=auth) as engine:
        address, key = engine.serve(), engine.key("smoke") if auth else None
        lines = smoke(address, address.replace("http", "ws", 1), key, said.append)
        assert len(lines) == 11
        assert said == lines
        assert len(engine.orders) == 2
        assert unfinished(engine) == []


BROKEN: dict[str, tuple[Door, str]] = {
    "the engine is not healthy": (Answering("GET", "/health", 503, {"status": "unavailable"}), "'health'.*200.*503"),
    "there is no page": (Answering("GET", "/", 200, {}), "'page and documents'.*the page at /, but its type"),
    "a repeated order is a second one": (
        Answering("POST", "/api/orders/execute", 202, {"orderId": "another"}, after=1),
        "'an order, sent twice'.*first answer",
    ),
    "a frame is lost": (Frames(3, closes=False), "'its stream on a socket'.*seq 3 on the socket, but seq 4"),
    "the socket closes early": (Frames(3, closes=True), "'its stream on a socket'.*closed after seq 2"),
    "the list lacks an event": (
        Answering("GET", "/api/orders/[^/]+/events", 200, {"events": []}),
        "'its stream on a socket'.*GET events",
    ),
    "a stale amendment is taken": (Answering("PATCH", ".*", 200, {}), "'amended by If-Match'.*status 412, but 200"),
    "a right amendment is refused": (Answering("PATCH", ".*", 412, {}), "'amended by If-Match'.*status 200, but 412"),
    "a cancel does nothing": (Answering("DELETE", ".*", 200, {}), "'cancelled'.*cancelled, but it is open"),
    "a path that is no stream opens a socket": (Moved("/ws/orders"), "'refused handshakes'.*/ws/orders.*opens"),
    "a stream path answers a bare GET": (
        Answering("GET", "/ws/orders/[^/]+", 426, {}),
        "'a stream path without one'.*400, but 426",
    ),
    "errors are cached": (Cache(), "'errors are not cached'.*400, but 404"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_the_step_that_fails_is_named_with_what_it_expects_and_what_comes(
    door: Callable[[Door], None], broken: str
) -> None:
    broken_door, message = BROKEN[broken]
    door(broken_door)
    with served() as engine, pytest.raises(SmokeError, match=message) as failure:
        smoked(engine)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("broken_door", "message"),
    [
        (lambda _: Answering("GET", "/api/orders", 200, {}), "'no entry for strangers'.*401, but 200"),
        (lambda key: Moved("/ws", key=key), "'refused handshakes'.*bad credential.*opens"),
    ],
    ids=["over HTTP", "on a socket"],
)
def test_a_door_that_lets_strangers_in_is_found(
    door: Callable[[Door], None], broken_door: Callable[[str], Door], message: str
) -> None:
    with served(auth=True) as engine:
        key = engine.key("smoke")
        door(broken_door(key))
        with pytest.raises(SmokeError, match=message):
            smoked(engine, key)


def test_an_order_that_fails_fails_the_smoke_test_with_its_code() -> None:
    with served() as engine:
        engine.faults.add("no_liquidity")
        with pytest.raises(SmokeError, match=r"'its stream on a socket'.*confirmed, but failed came.*NO_LIQUIDITY"):
            smoked(engine)


def test_the_orders_of_a_failed_smoke_test_are_cancelled(door: Callable[[Door], None]) -> None:
    door(Answering("PATCH", ".*", 500, {}))
    with served() as engine:
        with pytest.raises(SmokeError, match="'amended by If-Match'"):
            smoked(engine)
        assert len(engine.orders) == 2
        assert unfinished(engine) == []


def test_an_address_where_nothing_answers_fails_the_first_step() -> None:
    with pytest.raises(SmokeError, match="'health': expected an answer to GET /health, but none came"):
        smoke("http://127.0.0.1:9", "ws://127.0.0.1:9", None)
