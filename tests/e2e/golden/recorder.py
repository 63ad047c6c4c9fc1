"""What a scene of the session is played with: it makes the calls, opens the sockets, and notes what came back."""

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from websockets.exceptions import InvalidStatus

from tests.e2e.client import PATIENCE_SECONDS, Client, Json, parse
from tests.e2e.golden.talk import Talk

#: Headers of an answer that clients rely on; those that begin with ``access-control-`` belong to them too.
HEADERS = frozenset(
    {
        "allow",
        "cache-control",
        "content-type",
        "etag",
        "idempotent-replayed",
        "retry-after",
        "www-authenticate",
    }
)
_POLL_SECONDS = 0.1
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@dataclass(frozen=True)
class Engine:
    """The engine that the session talks to.

    ``run`` is a part of every user id and mint, so that no run meets the orders of another one. ``names`` maps what
    is only known in this run to its placeholder; ``expiries`` are the times that orders were told to end at.
    """

    http: str
    ws: str
    websocket: str
    run: str
    names: dict[str, str] = field(default_factory=dict)
    expiries: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Answer:
    """An answer to an HTTP call."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Recorder:
    """Plays one scene. ``entries`` holds its steps, as they were and in the order in which they were made."""

    def __init__(self, engine: Engine, scene: str) -> None:
        self.engine = engine
        self.scene = scene
        self.user = f"golden-{engine.run}-{scene.replace(' ', '-')}"
        self.entries: list[Json] = []
        self._client = Client(engine.http, engine.ws)

    def note(self, step: str, **what: Any) -> None:
        """Adds an entry."""
        self.entries.append({"step": f"{self.scene}: {step}", **what})

    def call(
        self,
        step: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        shown: Any = None,
        **headers: str,
    ) -> Answer:
        """Makes a call and notes it, with what is ``shown`` in place of parts of the request."""
        answer = self.quietly(method, path, body, **headers)
        request = {"method": method, "path": path, "headers": headers, "body": body, **(shown or {})}
        self.note(
            step,
            request={name: value for name, value in request.items() if value not in (None, {})},
            answer={"status": answer.status, "headers": answer.headers, "body": answer.body},
        )
        return answer

    def quietly(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Makes a call and notes nothing. A body that is text goes out as it is."""
        if method == "POST":
            answer = self._client.post(path, "" if body is None else body, **headers)
        else:
            answer = self._client.request(method, path, body, **headers)
        return Answer(answer.status_code, _telling(answer), _body_of(answer))

    def place(self, step: str, path: str = "/api/orders/execute", **order: Any) -> Json:
        """Places an order of the scene's user that is accepted; returns the answer."""
        answer = self.call(step, "POST", path, {"userId": self.user, **order})
        assert answer.status == 202, answer
        accepted: Json = answer.body
        return accepted

    def push(self, pair: str, price: Any) -> None:
        """Tells the engine a price and notes nothing: how many orders it released, other users have a part in."""
        event = {"type": "price", "pair": pair, "price": price}
        assert self.quietly("POST", "/api/market/events", event).status == 202

    def record(self, order_id: str) -> Json:
        """The record of an order; it notes nothing."""
        body: Json = self.quietly("GET", f"/api/orders/{order_id}").body
        return body

    def settled(self, step: str, order_id: str) -> Json:
        """Notes the record of an order, and its entry in the list once the list has caught up."""
        record: Json = self.call(f"{step}, record", "GET", f"/api/orders/{order_id}").body
        self.note(f"{step}, in the list", listed=self.listed(record))
        return record

    def listed(self, record: Json) -> Json:
        """The entry of the list that tells as much of an order as this record. The history is a moment behind."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            page = self.quietly("GET", f"/api/orders?userId={record['userId']}&limit=200").body
            for order in page["orders"]:
                if (order["orderId"], order["seq"]) == (record["orderId"], record["seq"]):
                    found: Json = order
                    return found
            time.sleep(_POLL_SECONDS)
        raise AssertionError(f"{record['orderId']} never came into the list")

    def life(self, step: str, **order: Any) -> str:
        """Places an order, follows it to its end, and notes all that is told of it; returns its id."""
        accepted = self.place(f"{step}, placed", **order)
        order_id: str = accepted["orderId"]
        with self.talk(f"{step}, stream", accepted["websocketUrl"]) as talk:
            talk.socket.until_over(order_id)
        self.settled(step, order_id)
        return order_id

    def until_over(self, order_id: str) -> None:
        """Waits for an order's end and notes nothing."""
        with self._client.socket(f"/ws/orders/{order_id}") as socket:
            socket.until_over(order_id)

    @contextmanager
    def talk(self, step: str, address: str = "/ws", *, by_order: list[str] | None = None) -> Iterator[Talk]:
        """Opens a socket, and notes at its end what was said and heard.

        ``by_order`` sorts the updates by order, as these are listed, for a stream on which several orders move.
        """
        with self._client.socket(address) as socket:
            talk = Talk(socket)
            yield talk
            self.note(step, socket=address, **talk.told(by_order))

    def refused(self, step: str, address: str) -> None:
        """Notes how the handshake at an address is refused."""
        try:
            with self._client.socket(address):
                raise AssertionError(f"{address} opened a socket")
        except InvalidStatus as error:
            self.note(step, socket=address, refused=error.response.status_code)

    def clean_up(self) -> None:
        """Leaves nothing behind that moves: cancels the scene's orders, and waits for those that it cannot cancel."""
        for user in (self.user, f"{self.user}-other"):
            ended = self.quietly("DELETE", f"/api/orders?userId={user}").body
            for order in ended["tooLate"]:
                self.until_over(order["orderId"])

    def soon(self, seconds: float) -> str:
        """A time so far ahead, as the engine writes times."""
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        text = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.engine.expiries.add(text)
        return text

    def mint(self, name: str) -> str:
        """The address of a token that nobody has launched before this run."""
        number = int.from_bytes(hashlib.sha256(f"{self.engine.run} {self.scene} {name}".encode()).digest(), "big")
        # The first byte is not zero, so that the digits below are all of the address.
        number |= 1 << 255
        text = ""
        while number:
            number, digit = divmod(number, 58)
            text = _BASE58[digit] + text
        self.engine.names[text] = f"<mint of {self.scene}, {name}>"
        return text


def _telling(answer: requests.Response) -> Json:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return {name: headers[name] for name in sorted(headers) if name in HEADERS or name.startswith("access-control-")}


def _body_of(answer: requests.Response) -> Any:
    """The body as JSON with exact numbers, or as text where it is none."""
    try:
        return parse(answer.text)
    except ValueError:
        return answer.text
