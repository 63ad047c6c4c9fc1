"""A client as users of the engine write it: HTTP with ``requests``, status streams with ``websockets``."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import requests
import simplejson
from websockets.sync.client import ClientConnection, connect

#: Timeout of every wait: generous for a slow machine, and reached only if the engine is broken.
PATIENCE_SECONDS = 120
HAPPY = ["pending", "routing", "routing", "building", "submitted", "confirmed"]
_TERMINAL = {"completed", "failed", "cancelled", "expired"}

Json = dict[str, Any]


def parse(text: str | bytes) -> Any:
    """Parse JSON; every fraction becomes a ``Decimal``."""
    return simplejson.loads(text, use_decimal=True)


class Socket:
    """An open WebSocket. ``frames`` holds every frame received so far."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.frames: list[Json] = []

    def say(self, **fields: Any) -> None:
        self._connection.send(simplejson.dumps(fields))

    def say_raw(self, text: str) -> None:
        self._connection.send(text)

    def next(self) -> Json:
        """Wait for the next frame of any type and return it."""
        frame: Json = parse(self._connection.recv(timeout=PATIENCE_SECONDS))
        self.frames.append(frame)
        return frame

    def until(self, kind: str, **fields: Any) -> Json:
        """Wait for the next frame of type ``kind`` with these field values and return it."""
        while True:
            frame = self.next()
            if frame["type"] == kind and all(frame.get(name) == value for name, value in fields.items()):
                return frame

    def until_terminal(self, *order_ids: str) -> None:
        """Read frames until each of these orders is terminal."""
        waiting = set(order_ids) - {frame["orderId"] for frame in self.frames if frame.get("phase") in _TERMINAL}
        while waiting:
            frame = self.next()
            if frame.get("phase") in _TERMINAL:
                waiting.discard(frame["orderId"])

    def updates(self, order_id: str) -> list[tuple[int, str]]:
        """``(seq, status)`` of each update of an order, in the order of arrival."""
        return [
            (frame["seq"], frame["status"])
            for frame in self.frames
            if frame["type"] == "ORDER_UPDATE" and frame["orderId"] == order_id
        ]


class Client:
    """A client with a base address for HTTP and one for WebSockets, and with an API key where the stack needs one."""

    def __init__(self, http: str, ws: str, key: str | None = None) -> None:
        self.http = http
        self.ws = ws
        self.key = key
        self.credential = {"Authorization": f"Bearer {key}"} if key else {}
        self._session = requests.Session()
        self._session.headers.update(self.credential)

    def get(self, path: str, **query: Any) -> requests.Response:
        return self._session.get(self.http + path, params=query, timeout=PATIENCE_SECONDS)

    def post(self, path: str, body: Any, **headers: str) -> requests.Response:
        """POST ``body`` as JSON; a string or bytes are sent unchanged."""
        data = body if isinstance(body, str | bytes) else simplejson.dumps(body)
        return self._session.post(
            self.http + path,
            data=data,
            headers={"content-type": "application/json", **headers},
            timeout=PATIENCE_SECONDS,
        )

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Send a request with any method, and with a JSON body if one is given."""
        data = None if body is None else simplejson.dumps(body)
        headers = headers if body is None else {"content-type": "application/json", **headers}
        return self._session.request(method, self.http + path, timeout=PATIENCE_SECONDS, headers=headers, data=data)

    def send(
        self, method: str, path: str, query: Mapping[str, str], body: bytes | None, headers: Mapping[str, str]
    ) -> requests.Response:
        """Send a request as it is."""
        return self._session.request(
            method, self.http + path, params=query, data=body, headers=headers, timeout=PATIENCE_SECONDS
        )

    def order(self, key: str | None = None, **changes: Any) -> requests.Response:
        """Post an order, with an idempotency key if one is given."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.post("/api/orders/execute", an_order(**changes), **headers)

    def accept(self, **changes: Any) -> Json:
        """Post a valid order and return the parsed 202 answer."""
        answer = self.post("/api/orders/execute", an_order(**changes))
        assert answer.status_code == 202, answer.text
        accepted: Json = parse(answer.text)
        return accepted

    def push_event(self, **event: Any) -> Json:
        """Push a market event, as a market feed does."""
        answer = self.post("/api/market/events", event)
        assert answer.status_code == 202, answer.text
        accepted: Json = parse(answer.text)
        return accepted

    def amend(self, order_id: str, seq: int | None = None, **changes: Any) -> requests.Response:
        """Amend an open order; ``seq`` becomes the ``If-Match`` precondition."""
        headers = {} if seq is None else {"If-Match": f'"{seq}"'}
        return self.request("PATCH", f"/api/orders/{order_id}", changes, **headers)

    def listed(self, **query: Any) -> list[Json]:
        """The orders of one history page."""
        answer = self.get("/api/orders", **query)
        assert answer.status_code == 200, answer.text
        orders: list[Json] = parse(answer.text)["orders"]
        return orders

    @contextmanager
    def socket(self, address: str = "/ws") -> Iterator[Socket]:
        """Open a WebSocket at a path of the front door, or at a full address."""
        url = address if "://" in address else self.ws + address
        credential = self.credential
        with connect(url, open_timeout=PATIENCE_SECONDS, max_size=2**20, additional_headers=credential) as connection:
            yield Socket(connection)

    def record(self, order_id: str) -> Json:
        answer = self.get(f"/api/orders/{order_id}")
        assert answer.status_code == 200, answer.text
        record: Json = parse(answer.text)
        return record


def an_order(**changes: Any) -> Json:
    """The body of a small market order that any venue can fill; ``None`` omits a field."""
    order = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": Decimal("1.5"), "slippage": 10, **changes}
    return {name: value for name, value in order.items() if value is not None}
