"""An API and sockets that a test plays: answers and frames that no engine gives, or not that many."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route, WebSocketRoute

from chalicelib.codec.exact_json import dumps, loads

_HTML = "<!doctype html><title>502</title><h1>Bad gateway</h1>"


def play(
    page: Page, pattern: str, body: Any, *, status: int = 200, content_type: str = "application/json", times: int = 0
) -> None:
    """Answer requests whose path matches the regular expression; ``body`` is text, or JSON.

    After so many ``times`` the engine answers again; 0 is for ever.
    """
    text = body if isinstance(body, str) else dumps(body)

    def answer(route: Route) -> None:
        route.fulfill(status=status, content_type=content_type, body=text)

    page.route(re.compile(rf"^[^?]*//[^/]+{pattern}(\?|$)"), answer, times=times or None)


def play_problem(page: Page, pattern: str, status: int, code: str, detail: str, *, times: int = 0) -> None:
    """Answer with a problem of the contract."""
    problem = {"type": "about:blank", "title": code.capitalize(), "status": status, "detail": detail, "code": code}
    play(page, pattern, problem, status=status, content_type="application/problem+json", times=times)


def play_html(page: Page, pattern: str, *, times: int = 0) -> None:
    """Answer with a page of HTML, as a proxy does whose server is gone."""
    play(page, pattern, _HTML, status=502, content_type="text/html", times=times)


def play_list(page: Page, records: Sequence[Mapping[str, Any]]) -> None:
    """Answer lists of orders with these records as they are by then, newest first, page by page. Of the
    filters, ``to`` alone has an effect.
    """

    def answer(route: Route) -> None:
        query = {name: values[-1] for name, values in parse_qs(urlsplit(route.request.url).query).items()}
        begin, limit = int(query.get("cursor", 0)), int(query.get("limit", 50))
        end = begin + limit
        listed = [one for one in records if "to" not in query or one["createdAt"] < query["to"]]
        cursor = str(end) if end < len(listed) else None
        text = dumps({"orders": listed[begin:end], "nextCursor": cursor})
        route.fulfill(content_type="application/json", body=text)

    page.route(re.compile(r"/api/orders(\?|$)"), answer)


class PlayedSockets:
    """Every socket that the page opens. A subscription is acknowledged, and live at once."""

    def __init__(self, page: Page) -> None:
        self.opened: list[WebSocketRoute] = []
        #: The messages of the page, from all sockets.
        self.messages: list[dict[str, Any]] = []
        page.route_web_socket(re.compile(r"/ws(\?|$)"), self._on_open)

    def send(self, frame: Mapping[str, Any] | str) -> None:
        """Send a frame on the last socket."""
        self.opened[-1].send(frame if isinstance(frame, str) else dumps(frame))

    def cut(self, code: int = 1001) -> None:
        """Close the last socket."""
        self.opened[-1].close(code=code)

    def _on_open(self, socket: WebSocketRoute) -> None:
        self.opened.append(socket)
        socket.on_message(self._on_message)

    def _on_message(self, text: str | bytes) -> None:
        message = json.loads(text)
        self.messages.append(message)
        if message["action"] == "subscribe":
            named = {name: message[name] for name in ("orderId", "userId") if name in message}
            self.send({"type": "ack", "requestId": message.get("requestId"), **named})
            live = {"at": "2026-01-01T12:00:00.000Z"} if "userId" in named else {"seq": message.get("afterSeq", 0)}
            self.send({"type": "live", **named, **live})


def update_frame(life: Mapping[str, Any], index: int) -> dict[str, Any]:
    """The frame of an event of a life that is ``told``."""
    named = {"type": "ORDER_UPDATE", "orderId": life["orderId"], "userId": life["userId"]}
    return {**named, **life["events"][index]}


def records_like(record: str, count: int) -> list[dict[str, Any]]:
    """So many records like one, each with an id of its own and created a second before the one above it."""
    like: dict[str, Any] = loads(record)
    return [{**like, "orderId": _id(number), "createdAt": _time(number)} for number in range(count)]


def _id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def _time(number: int) -> str:
    seconds = 86_399 - number % 86_400
    return f"2026-01-01T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.000Z"
