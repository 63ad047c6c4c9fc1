"""A deployment as its clients see it: requests and sockets through the front door, without code of the product."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import connect

#: Maximum time of an answer. The first one of a new deployment waits for a cold start.
ANSWER_SECONDS = 30
#: Maximum time without a frame of an order that executes. A message that is lost in a backlog is replaced after
#: BACKLOG_PATIENCE_SECONDS; an order that waits for longer, for the rate limit or a free slot, fails the step.
FRAME_SECONDS = 150
#: The status of a handshake that opens a socket.
OPENED = 101
TERMINAL_PHASES = frozenset({"completed", "failed", "cancelled", "expired"})
_MAX_SHOWN = 200

Json = dict[str, Any]


class UnexpectedError(Exception):
    """The deployment answers something else: what was expected, and what came."""

    def __init__(self, expected: str, came: str) -> None:
        super().__init__(f"expected {expected}, but {came}")


@dataclass(frozen=True)
class Answer:
    """The answer to a request; the names of its headers have no case."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Json:
        """Return the body, with fractions as text, so that all their digits count.

        :raises UnexpectedError: if it is no JSON object.
        """
        try:
            body = json.loads(self.text, parse_float=str)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise UnexpectedError("a JSON object", f"the body is {_shortened(self.text)}")
        return body

    def field(self, name: str) -> str:
        """:raises UnexpectedError: if the body lacks the field."""
        body = self.json()
        if name not in body:
            raise UnexpectedError(f"the field {name}", f"the body is {_shortened(self.text)}")
        return str(body[name])

    def expect(self, *statuses: int) -> "Answer":
        """:raises UnexpectedError: if the answer has another status."""
        if self.status not in statuses:
            wanted = " or ".join(map(str, statuses))
            raise UnexpectedError(f"status {wanted}", f"{self.status} came: {_shortened(self.text)}")
        return self


@dataclass(frozen=True)
class Outside:
    """A client at the addresses of the front door. ``key`` is an API key, or ``None`` without authentication."""

    http: str
    ws: str
    key: str | None

    def ask(
        self, method: str, path: str, body: Json | None = None, headers: Json | None = None, *, known: bool = True
    ) -> Answer:
        """Send a request once; ``known`` says whether it carries the key.

        :raises UnexpectedError: if no answer comes.
        """
        named = (headers or {}) | self._credential(known)
        try:
            answer = requests.request(
                method, self.http + path, json=body, headers=named, timeout=ANSWER_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            raise UnexpectedError(f"an answer to {method} {path}", f"none came: {type(error).__name__}") from None
        return Answer(answer.status_code, answer.headers, answer.content.decode(errors="replace"))

    def handshake(self, path: str, key: str | None) -> int:
        """Return the status that answers a handshake with this key; a socket that opens is closed again.

        :raises UnexpectedError: if no answer comes.
        """
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            with connect(self.ws + path, additional_headers=headers, open_timeout=ANSWER_SECONDS):
                return OPENED
        except InvalidStatus as error:
            return error.response.status_code
        except (WebSocketException, OSError) as error:
            raise UnexpectedError(f"an answer to a handshake on {path}", f"none came: {_reason(error)}") from None

    def stream(self, order_id: str) -> list[Json]:
        """Return the events of an order that a socket brings, up to the terminal one. A frame may come twice.

        :raises UnexpectedError: if the socket does not open or closes early, or an event is missing.
        """
        events: list[Json] = []
        expected = "every event of the order on its socket, up to a terminal status"
        try:
            headers = self._credential(True)
            path = f"{self.ws}/ws/orders/{order_id}"
            with connect(path, additional_headers=headers, open_timeout=ANSWER_SECONDS) as socket:
                while not events or events[-1].get("phase") not in TERMINAL_PHASES:
                    _take(json.loads(socket.recv(timeout=FRAME_SECONDS), parse_float=str), events)
        except (TimeoutError, ConnectionClosed) as error:
            last = f"seq {events[-1]['seq']} ({events[-1]['status']})" if events else "no event"
            end = "it was silent" if isinstance(error, TimeoutError) else "it closed"
            raise UnexpectedError(expected, f"{end} after {last}: {_reason(error)}") from None
        except (WebSocketException, OSError, ValueError) as error:
            raise UnexpectedError(expected, _reason(error)) from None
        return events

    def _credential(self, known: bool) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key and known else {}


def _take(frame: Any, events: list[Json]) -> None:
    """Add the event of a frame to ``events``, unless it is there."""
    if not isinstance(frame, dict) or frame.get("type") not in ("ORDER_UPDATE", "live"):
        raise UnexpectedError("frames of the order", f"this came: {_shortened(json.dumps(frame))}")
    if frame["type"] == "live" or frame["seq"] <= len(events):
        return
    if frame["seq"] != len(events) + 1:
        raise UnexpectedError(f"seq {len(events) + 1} on the socket", f"seq {frame['seq']} came")
    events.append({name: of for name, of in frame.items() if name not in ("type", "orderId", "userId")})


def _reason(error: Exception) -> str:
    return _shortened(str(error)) or type(error).__name__


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_SHOWN else f"{line[:_MAX_SHOWN]} ..."
