"""A client of the engine as its users write them: HTTP with requests, streams with websockets."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import requests
import simplejson
from websockets.sync.client import ClientConnection, connect

#: Long enough for any machine; nothing waits that long unless it is broken.
PATIENCE_SECONDS = 120
HAPPY = ["pending", "routing", "routing", "building", "submitted", "confirmed"]
_OVER = {"completed", "failed", "cancelled", "expired"}

Json = dict[str, Any]


def parse(text: str | bytes) -> Any:
    """JSON with exact numbers."""
    return simplejson.loads(text, use_decimal=True)


class Socket:
    """An open stream. Every frame that comes in is kept in ``frames``."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.frames: list[Json] = []

    def say(self, **fields: Any) -> None:
        self._connection.send(simplejson.dumps(fields))

    def say_raw(self, text: str) -> None:
        self._connection.send(text)

    def next(self) -> Json:
        """The next frame, whatever it is."""
        frame: Json = parse(self._connection.recv(timeout=PATIENCE_SECONDS))
        self.frames.append(frame)
        return frame

    def until(self, kind: str, **fields: Any) -> Json:
        """The next frame of this type in which these fields have these values."""
        while True:
            frame = self.next()
            if frame["type"] == kind and all(frame.get(name) == value for name, value in fields.items()):
                return frame

    def until_over(self, *order_ids: str) -> None:
        """Listen until each of these orders has ended."""
        waiting = set(order_ids) - {frame["orderId"] for frame in self.frames if frame.get("phase") in _OVER}
        while waiting:
            frame = self.next()
            if frame.get("phase") in _OVER:
                waiting.discard(frame["orderId"])

    def updates(self, order_id: str) -> list[tuple[int, str]]:
        """``(seq, status)`` of each update of an order, as it came in."""
        return [
            (frame["seq"], frame["status"])
            for frame in self.frames
            if frame["type"] == "ORDER_UPDATE" and frame["orderId"] == order_id
        ]


class Client:
    """One base address for HTTP, one for streams."""

    def __init__(self, http: str, ws: str) -> None:
        self.http = http
        self.ws = ws
        self._session = requests.Session()

    def get(self, path: str, **query: Any) -> requests.Response:
        return self._session.get(self.http + path, params=query, timeout=PATIENCE_SECONDS)

    def post(self, path: str, body: Any, **headers: str) -> requests.Response:
        """POST JSON; a body that is text goes out as it is."""
        data = body if isinstance(body, str | bytes) else simplejson.dumps(body)
        return self._session.post(
            self.http + path,
            data=data,
            headers={"content-type": "application/json", **headers},
            timeout=PATIENCE_SECONDS,
        )

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Any other method, with a JSON body if one is given."""
        data = None if body is None else simplejson.dumps(body)
        headers = headers if body is None else {"content-type": "application/json", **headers}
        return self._session.request(method, self.http + path, timeout=PATIENCE_SECONDS, headers=headers, data=data)

    def order(self, key: str | None = None, **changes: Any) -> requests.Response:
        """Post an order, under an idempotency key if one is given."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.post("/api/orders/execute", an_order(**changes), **headers)

    def accept(self, **changes: Any) -> Json:
        """Post an order that is fine; returns the answer."""
        answer = self.post("/api/orders/execute", an_order(**changes))
        assert answer.status_code == 202, answer.text
        accepted: Json = parse(answer.text)
        return accepted

    def tell(self, **event: Any) -> Json:
        """Push what a market feed tells."""
        answer = self.post("/api/market/events", event)
        assert answer.status_code == 202, answer.text
        told: Json = parse(answer.text)
        return told

    def amend(self, order_id: str, seq: int | None = None, **changes: Any) -> requests.Response:
        """Change an open order, if it stands at this event."""
        headers = {} if seq is None else {"If-Match": f'"{seq}"'}
        return self.request("PATCH", f"/api/orders/{order_id}", changes, **headers)

    def listed(self, **query: Any) -> list[Json]:
        """A page of the history."""
        answer = self.get("/api/orders", **query)
        assert answer.status_code == 200, answer.text
        orders: list[Json] = parse(answer.text)["orders"]
        return orders

    @contextmanager
    def socket(self, address: str = "/ws") -> Iterator[Socket]:
        """A stream at a path of the front door, or at a full address."""
        url = address if "://" in address else self.ws + address
        with connect(url, open_timeout=PATIENCE_SECONDS, max_size=2**20) as connection:
            yield Socket(connection)

    def record(self, order_id: str) -> Json:
        answer = self.get(f"/api/orders/{order_id}")
        assert answer.status_code == 200, answer.text
        record: Json = parse(answer.text)
        return record


def an_order(**changes: Any) -> Json:
    """A small market order that any venue can fill; ``None`` leaves a field out."""
    order = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": Decimal("1.5"), "slippage": 10, **changes}
    return {name: value for name, value in order.items() if value is not None}
