"""A model of the engine's streams in virtual time, behind a network that cuts, delays, doubles, mutes and refuses.

The lives of the orders are fixed before the start. A socket gets the frames that the contract promises, each at its
time; then the network does its worst to them.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from orderengine.core.commands import HandshakeRefused, Request, Response, SocketClosed, Unreachable
from tests.client.streams.faults import Faults
from tests.client.streams.lives import START, USER, Event, Life, seconds_of, text_of

MARGIN_SECONDS = 90.0


@dataclass
class Model:
    lives: Mapping[str, Life]
    faults: Faults = field(default_factory=Faults)
    now: float = 0.0
    #: The clock of the client's machine is ahead by so many seconds; its answers then have a ``Date``.
    clock_error: float = 0.0
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    requests: list[Request] = field(default_factory=list)
    sockets: "list[ModelSocket]" = field(default_factory=list)
    handshakes: list[tuple[float, dict[str, str]]] = field(default_factory=list)
    #: Answers that come before all others, in turn.
    answers: list[Response | BaseException] = field(default_factory=list)
    #: Handshakes that fail before all others.
    refusals: list[BaseException] = field(default_factory=list)
    #: Called with each new socket: a test may change what comes.
    on_socket: "Callable[[ModelSocket], None]" = lambda _: None

    def chance(self, probability: float) -> bool:
        return probability > 0 and self.rng.random() < probability

    @property
    def is_away(self) -> bool:
        return self.faults.away[0] <= self.now < self.faults.away[1]

    # HTTP

    def send(self, request: Request, timeout: float) -> Response:
        self.requests.append(request)
        self.now += 0.005
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Response):
                return answer
            raise answer
        if self.is_away or self.chance(self.faults.unreachable):
            raise Unreachable("connection refused", sent=False)
        if self.chance(self.faults.busy):
            return problem(503, "UNAVAILABLE", retry_after=self.rng.choice((None, 1)))
        query = dict(request.query)
        wait = float(query.get("wait", 0))
        if wait and self.faults.too_many_waits:
            return problem(429, "TOO_MANY_WAITS", retry_after=1)
        answer = self._answer(request.path, query, 0.0 if self.faults.no_waits else wait, timeout)
        if self.clock_error:
            date = format_datetime(START + timedelta(seconds=self.now), usegmt=True)
            answer = replace(answer, headers={**answer.headers, "date": date})
        if self.chance(self.faults.lose_request):
            raise Unreachable("the answer is lost", sent=True)
        if self.chance(self.faults.html):
            return Response(502, {"content-type": "text/html"}, b"<html>Bad Gateway</html>")
        return answer

    def _answer(self, path: str, query: dict[str, str], wait: float, timeout: float) -> Response:
        parts = path.strip("/").split("/")
        if path == "/health":
            return answer(200, {"status": "ok", "version": "1", "dependencies": {}, "history": None})
        if path == "/api/stats":
            window = {"since": text_of(self.now - 86_400), "until": text_of(self.now)}
            return answer(
                200, {**window, "userId": USER, "execution": None, "executionOutage": None, "history": None}
            )
        if path == "/api/stream-tickets":
            return answer(201, {"token": f"ticket-{len(self.requests)}", "expiresAt": text_of(self.now + 60)})
        if path == "/api/orders":
            return self._list(query)
        order_id = parts[3] if parts[2] == "status" else parts[2]
        found = self.lives.get(order_id)
        if found is None or not found.until(self.now):
            return problem(404, "ORDER_NOT_FOUND")
        if parts[-1] == "events":
            return self._events(found, int(query.get("afterSeq", 0)), wait, timeout)
        return answer(200, found.record(self.now))

    def _events(self, found: Life, after: int, wait: float, timeout: float) -> Response:
        if wait and not found.until(self.now)[-1].is_terminal:
            next_at = min((one.at for one in found.events if one.seq > after), default=float("inf"))
            took = max(0.0, min(next_at - self.now, wait))
            if took > min(self.faults.max_request_seconds, timeout):
                self.now += min(self.faults.max_request_seconds, timeout)
                raise Unreachable("the proxy ended the request", sent=True)
            self.now += took
        past = [one for one in found.until(self.now) if one.seq > after]
        return answer(200, {"orderId": found.order_id, "events": [one.body() for one in past]})

    def _list(self, query: dict[str, str]) -> Response:
        since = seconds_of(query["updatedSince"]) if "updatedSince" in query else -1e9
        records = [one.record(self.now) for one in self.lives.values() if one.until(self.now)]
        records.sort(key=lambda one: (one["createdAt"], one["orderId"]), reverse=True)
        found = [
            one
            for one in records
            if seconds_of(one["updatedAt"]) >= since and query.get("status", one["status"]) == one["status"]
        ]
        first, limit = int(query.get("cursor", 0)), min(int(query["limit"]), 7)
        page, rest = found[first : first + limit], found[first + limit :]
        return answer(200, {"orders": page, "nextCursor": str(first + limit) if rest else None})

    # Sockets

    def open(
        self, path: str, query: tuple[tuple[str, str], ...], headers: Mapping[str, str], timeout: float
    ) -> "ModelSocket":
        self.now += 0.01
        self.handshakes.append((self.now, {"path": path, **dict(query), **headers}))
        if self.refusals:
            raise self.refusals.pop(0)
        if self.is_away or self.chance(self.faults.unreachable):
            raise Unreachable("no route", sent=False)
        if self.chance(self.faults.refuse):
            status = self.rng.choice((403, 429, 502, 503, 404))
            raise HandshakeRefused(Response(status, {}, b""))
        socket = ModelSocket(self)
        wanted = dict(query)
        if "orderId" in wanted:
            socket.join_order(wanted["orderId"], int(wanted.get("afterSeq", 0)))
        elif "userId" in wanted:
            socket.join_user(seconds_of(wanted["since"]) - MARGIN_SECONDS if "since" in wanted else self.now)
        self.sockets.append(socket)
        self.on_socket(socket)
        return socket


class ModelSocket:
    """A socket: what comes on it, and when."""

    def __init__(self, model: Model) -> None:
        self.model = model
        faults, rng = model.faults, model.rng
        self.opened_at = model.now
        self.ends_at = model.now + (7200.0 if faults.cut_after == float("inf") else rng.random() * faults.cut_after)
        away = faults.away[0]
        self.ends_at = min(self.ends_at, away) if model.now < away else self.ends_at
        self.code = 1001 if self.ends_at == model.now + 7200.0 else rng.choice((1006, 1011, 1012, 1001))
        is_mute = model.chance(faults.mute)
        self.mute_from = model.now + rng.random() * 60 if is_mute else float("inf")
        self.withhold_from = model.now + rng.random() * 60 if model.chance(faults.withhold) else float("inf")
        self.coming: list[tuple[float, int, str]] = []
        self.number = 0
        self.is_closed = False
        self.written: list[dict[str, Any]] = []
        if model.chance(faults.garbage):
            junk = ("<html>", "[]", '{"type":"ORDER_UPDATE"}', '{"type":"live"}', "{", '{"type": 5}')
            self.push(model.now + rng.random() * 20, rng.choice(junk), junk=True)
        if model.chance(faults.error_frame):
            frame = {"type": "error", "status": rng.choice((429, 503)), "code": "UNAVAILABLE", "detail": "busy"}
            self.push(model.now + rng.random() * 20, json.dumps(frame))
        self.push(model.now + rng.random() * 20, '{"type": "NEWS", "of": "tomorrow"}')

    def push(self, at: float, text: str, *, junk: bool = False) -> None:
        self.number += 1
        self.coming.append((at, self.number, text))
        self.coming.sort()

    def join_order(self, order_id: str, after: int) -> None:
        model = self.model
        found = model.lives.get(order_id)
        if found is None or not found.until(model.now):
            error = {"type": "error", "status": 404, "code": "ORDER_NOT_FOUND", "detail": "There is no such order."}
            self.push(model.now + 0.05, json.dumps(error))
            return
        free = self._push_order(found, after, model.now + 0.02)
        seq = max(after, found.until(model.now)[-1].seq)
        self.push(free + 0.001, json.dumps({"type": "live", "orderId": order_id, "seq": seq}))

    def join_user(self, since: float) -> None:
        model = self.model
        live_at = model.now + 5.0
        for found in model.lives.values():
            past = found.until(model.now)
            after = 0
            if past:
                recent = [one.seq for one in past if one.at >= since]
                at_least = [] if past[-1].is_terminal else [past[-1].seq]
                if not recent and not at_least:
                    continue
                after = min(recent + at_least) - 1
            free = self._push_order(found, after, model.now + model.rng.random() * 4)
            live_at = max(live_at, free)
        frame = {"type": "live", "userId": USER, "at": text_of(model.now)}
        self.push(live_at + 0.001, json.dumps(frame))

    def _push_order(self, found: Life, after: int, begin: float) -> float:
        """Push past and future events, in sequence but for the faults. The result is when the past ones are here."""
        model, faults, rng = self.model, self.model.faults, self.model.rng
        free, past_at = begin, begin
        frames: list[tuple[float, Event]] = []
        for event in (one for one in found.events if one.seq > after):
            free = max(free, event.at + rng.random() * faults.lag_seconds) + 0.0001
            if event.at <= model.now:
                past_at = free
            frames.append((free, event))
        if faults.swap:
            for one in range(len(frames) - 1):
                if model.chance(faults.swap):
                    (first_at, first), (second_at, second) = frames[one], frames[one + 1]
                    frames[one], frames[one + 1] = (first_at, second), (second_at, first)
        for at, event in frames:
            if model.chance(faults.drop):
                continue
            self.push(at, found.frame(event))
            if model.chance(faults.double):
                self.push(at + rng.random() * 3, found.frame(event))
        return past_at

    def receive(self, timeout: float) -> str | None:
        model = self.model
        assert not self.is_closed
        while self.coming:
            at, _, text = self.coming[0]
            if at > model.now + timeout or at >= self.ends_at:
                break
            self.coming.pop(0)
            if at >= self.mute_from or (at >= self.withhold_from and "pong" not in text):
                continue
            model.now = max(model.now, at)
            return text
        if self.ends_at <= model.now + timeout:
            model.now = max(model.now, self.ends_at)
            raise SocketClosed(self.code, "gone")
        model.now += timeout
        return None

    def write(self, text: str) -> None:
        model = self.model
        if model.now >= self.ends_at:
            raise SocketClosed(self.code, "gone")
        message = json.loads(text)
        self.written.append(message)
        if message["action"] == "ping":
            self.push(model.now + 0.01, json.dumps({"type": "pong", "at": text_of(model.now)}))
        elif message["action"] == "subscribe":
            self.push(model.now + 0.01, json.dumps({"type": "ack", "action": "subscribe"}))
            self.join_order(message["orderId"], message["afterSeq"])

    def close(self) -> None:
        self.is_closed = True


def answer(status: int, body: Any) -> Response:
    return Response(status, {"content-type": "application/json"}, json.dumps(body).encode())


def problem(status: int, code: str, *, retry_after: int | None = None) -> Response:
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    body = {"type": "about:blank", "title": code, "status": status, "code": code, "detail": code}
    return Response(status, {"content-type": "application/problem+json", **headers}, json.dumps(body).encode())
