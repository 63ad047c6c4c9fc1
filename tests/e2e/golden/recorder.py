"""The recorder of a scene: it makes the calls, opens the sockets, and records answers and frames."""

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from websockets.exceptions import InvalidStatus

from tests.e2e.client import PATIENCE_SECONDS, Client, Json, parse
from tests.e2e.client import Answer as RawAnswer
from tests.e2e.golden.talk import Talk

#: Response headers that clients rely on, besides those that begin with ``access-control-``.
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
    """The engine under test.

    ``run`` is part of every user id and mint, so that runs on one stack do not share orders. ``names`` maps each text
    that is specific to this run to its placeholder; ``expiries`` are the expiry times that the session requested.
    """

    http: str
    ws: str
    websocket: str
    run: str
    key: str | None = None
    names: dict[str, str] = field(default_factory=dict)
    expiries: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Answer:
    """The answer to an HTTP request."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Recorder:
    """Plays one scene. ``entries`` holds its steps with their raw values, in sequence."""

    def __init__(self, engine: Engine, scene: str) -> None:
        self.engine = engine
        self.scene = scene
        self.user = f"golden-{engine.run}-{scene.replace(' ', '-')}"
        self.entries: list[Json] = []
        self._client = Client(engine.http, engine.ws, engine.key)

    def note(self, step: str, **what: Any) -> None:
        """Add an entry."""
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
        """Send a request and record it; ``shown`` replaces parts of the request in the record."""
        answer = self.send(method, path, body, **headers)
        request = {"method": method, "path": path, "headers": headers, "body": body, **(shown or {})}
        self.note(
            step,
            request={name: value for name, value in request.items() if value not in (None, {})},
            answer={"status": answer.status, "headers": answer.headers, "body": answer.body},
        )
        return answer

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request without recording it. A body that is a string is sent unchanged."""
        if method == "POST":
            answer = self._client.post(path, "" if body is None else body, **headers)
        else:
            answer = self._client.request(method, path, body, **headers)
        return Answer(answer.status_code, _recorded_headers(answer), _body_of(answer))

    def place(self, step: str, path: str = "/api/orders/execute", **order: Any) -> Json:
        """Place a valid order of the scene's user, record the step, and return the answer."""
        answer = self.call(step, "POST", path, {"userId": self.user, **order})
        assert answer.status == 202, answer
        accepted: Json = answer.body
        return accepted

    def push(self, pair: str, price: Any) -> None:
        """Push a price without recording it: the number of triggered orders includes those of other users."""
        event = {"type": "price", "pair": pair, "price": price}
        assert self.send("POST", "/api/market/events", event).status == 202

    def record(self, order_id: str) -> Json:
        """Read an order without recording the request."""
        body: Json = self.send("GET", f"/api/orders/{order_id}").body
        return body

    def settled(self, step: str, order_id: str) -> Json:
        """Record an order, and its entry in the order list once the history has caught up."""
        record: Json = self.call(f"{step}, record", "GET", f"/api/orders/{order_id}").body
        self.note(f"{step}, in the list", listed=self.listed(record))
        return record

    def listed(self, record: Json) -> Json:
        """Poll the order list until its entry of an order has the ``seq`` of ``record``, and return the entry."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            page = self.send("GET", f"/api/orders?userId={record['userId']}&limit=200").body
            for order in page["orders"]:
                if (order["orderId"], order["seq"]) == (record["orderId"], record["seq"]):
                    found: Json = order
                    return found
            time.sleep(_POLL_SECONDS)
        raise AssertionError(f"{record['orderId']} never came into the list")

    def place_and_follow(self, step: str, **order: Any) -> str:
        """Place an order, record its stream up to the terminal status and its record, and return its id."""
        accepted = self.place(f"{step}, placed", **order)
        order_id: str = accepted["orderId"]
        with self.talk(f"{step}, stream", accepted["websocketUrl"]) as talk:
            talk.socket.until_terminal(order_id)
        self.settled(step, order_id)
        return order_id

    def until_terminal(self, order_id: str) -> None:
        """Wait until an order is terminal, without recording it."""
        with self._client.socket(f"/ws/orders/{order_id}") as socket:
            socket.until_terminal(order_id)

    @contextmanager
    def talk(self, step: str, address: str = "/ws", *, by_order: list[str] | None = None) -> Iterator[Talk]:
        """Open a socket, and record its messages and frames when the block ends.

        ``by_order`` groups the updates by these order ids, for a stream with several active orders.
        """
        with self._client.socket(address) as socket:
            talk = Talk(socket)
            yield talk
            self.note(step, socket=address, **talk.transcript(by_order))

    def refused(self, step: str, address: str) -> None:
        """Record the status with which the handshake at an address is refused."""
        try:
            with self._client.socket(address):
                raise AssertionError(f"{address} opened a socket")
        except InvalidStatus as error:
            self.note(step, socket=address, refused=error.response.status_code)

    def clean_up(self) -> None:
        """Cancel the scene's orders, and wait for those that are too late to cancel."""
        for user in (self.user, f"{self.user}-other"):
            ended = self.send("DELETE", f"/api/orders?userId={user}").body
            for order in ended["tooLate"]:
                self.until_terminal(order["orderId"])

    def expiry_in(self, seconds: float) -> str:
        """Return the time in ``seconds`` seconds, in the engine's format."""
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        text = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.engine.expiries.add(text)
        return text

    def mint(self, name: str) -> str:
        """Return the address of a token that only this run launches."""
        number = int.from_bytes(hashlib.sha256(f"{self.engine.run} {self.scene} {name}".encode()).digest(), "big")
        # A non-zero first byte: base58 would otherwise need leading ``1`` characters.
        number |= 1 << 255
        text = ""
        while number:
            number, digit = divmod(number, 58)
            text = _BASE58[digit] + text
        self.engine.names[text] = f"<mint of {self.scene}, {name}>"
        return text


def _recorded_headers(answer: RawAnswer) -> Json:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return {name: headers[name] for name in sorted(headers) if name in HEADERS or name.startswith("access-control-")}


def _body_of(answer: RawAnswer) -> Any:
    """Return the body as JSON with exact numbers, or as text if it is not JSON."""
    try:
        return parse(answer.text)
    except ValueError:
        return answer.text
