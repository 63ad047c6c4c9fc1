"""The client that tests drive a stack with: ``orderengine`` for valid calls, and raw requests and sockets for others.

Every answer and every frame is held against the documents of the contract.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import httpx2
import psycopg
import simplejson
from websockets.sync.client import ClientConnection, connect

import orderengine
from tests.support.checked_transport import CheckedTransport
from tests.support.contract import check_frame
from tests.support.stack import RunningStack

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
        """Wait for the next frame of any type, hold it against the contract, and return it."""
        text = self._connection.recv(timeout=PATIENCE_SECONDS, decode=True)
        check_frame(text)
        frame: Json = parse(text)
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

    @property
    def update_frames(self) -> list[Json]:
        """The frames of events, in the order of arrival."""
        return [frame for frame in self.frames if frame["type"] == "ORDER_UPDATE"]

    def updates(self, order_id: str) -> list[tuple[int, str]]:
        """``(seq, status)`` of each update of an order, in the order of arrival."""
        return [(frame["seq"], frame["status"]) for frame in self.update_frames if frame["orderId"] == order_id]


@dataclass(frozen=True)
class Answer:
    """The answer to a raw request. The names of its headers have no case."""

    status_code: int
    headers: httpx2.Headers
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return parse(self.content)


class Client:
    """A client with a base address for HTTP and one for WebSockets, and with an API key where the stack needs one."""

    def __init__(self, http: str, ws: str, key: str | None = None) -> None:
        self.http = http
        self.ws = ws
        self.key = key
        self.credential = {"Authorization": f"Bearer {key}"} if key else {}
        self._transport = CheckedTransport(http, ws)

    @cached_property
    def engine(self) -> orderengine.Client:
        """The client that the project gives to its users. It repeats no call: each first answer must be right."""
        return self.engine_of(None)

    def engine_of(self, user: str | None, **options: Any) -> orderengine.Client:
        """As ``engine``, for orders of this user."""
        patience = {"timeout": PATIENCE_SECONDS, "try_timeout": PATIENCE_SECONDS, "retries": 0}
        return orderengine.Client(key=self.key, user=user, transport=self._transport, **{**patience, **options})

    def get(self, path: str, **query: Any) -> Answer:
        return self.send("GET", path, query, None, {})

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        """POST ``body`` as JSON; a string or bytes are sent unchanged."""
        return self.request("POST", path, body, **headers)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request with any method. A body is sent as JSON; a string or bytes are sent unchanged."""
        if body is None:
            return self.send(method, path, {}, None, headers)
        text = body if isinstance(body, str | bytes) else simplejson.dumps(body)
        return self.send(method, path, {}, text.encode() if isinstance(text, str) else text, headers)

    def send(
        self, method: str, path: str, query: Mapping[str, Any], body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        """Send a request as it is; a list in the query repeats its name.

        :raises orderengine.errors.Unreachable: if no answer comes.
        """
        address = f"{path}?{urlencode(query, doseq=True)}" if query else path
        answer = self.engine.request(method, address, body=body, headers=headers)
        return Answer(answer.status, httpx2.Headers(dict(answer.headers)), answer.body)

    def order(self, key: str | None = None, **changes: Any) -> Answer:
        """Post an order, with an idempotency key if one is given."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.post("/api/orders/execute", an_order(**changes), **headers)

    def accept(self, **changes: Any) -> Json:
        """Place a valid order, given by the fields of the contract, and return the parsed 202 answer."""
        order = an_order(**changes)
        engine = self.engine_of(order.pop("userId", None))
        if "launch" in order:
            order["launch"] = _pythonic(order["launch"])
        swap = [order.pop(name) for name in ("tokenIn", "tokenOut", "amountIn")]
        return dict(engine.submit(*swap, **_pythonic(order)).accepted.raw)

    def push_event(self, **event: Any) -> Json:
        """Push a market event, given by the fields of the contract, as a market feed does."""
        kind = event.pop("type")
        told = self.engine.tell_price(**event) if kind == "price" else self.engine.tell_pool(**event)
        return dict(told.raw)

    def amend(self, order_id: str, seq: int | None = None, **changes: Any) -> Answer:
        """Amend an open order; ``seq`` becomes the ``If-Match`` precondition."""
        headers = {} if seq is None else {"If-Match": f'"{seq}"'}
        return self.request("PATCH", f"/api/orders/{order_id}", changes, **headers)

    def listed(self, user: str | None = None, **filters: Any) -> list[Json]:
        """The orders of one page of the list."""
        orders: list[Json] = self.engine.page(user=user, **filters).raw["orders"]
        return orders

    def record(self, order_id: str) -> Json:
        return dict(self.engine.order(order_id).raw)

    def events(self, order_id: str) -> list[Json]:
        return [dict(update.raw) for update in self.engine.events(order_id)]

    def ended(self, order_id: str) -> Json:
        """Wait until an order is terminal, and return its record."""
        return dict(self.engine.result(order_id, timeout=PATIENCE_SECONDS).raw)

    @contextmanager
    def socket(self, address: str = "/ws") -> Iterator[Socket]:
        """Open a WebSocket at a path of the front door, or at a full address."""
        url = address if "://" in address else self.ws + address
        credential = self.credential
        with connect(url, open_timeout=PATIENCE_SECONDS, max_size=2**20, additional_headers=credential) as connection:
            yield Socket(connection)


def _pythonic(fields: Mapping[str, Any]) -> Json:
    """Fields of the contract as arguments of ``orderengine``."""
    return {re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name): value for name, value in fields.items()}


def an_order(**changes: Any) -> Json:
    """The body of a small market order that any venue can fill; ``None`` omits a field."""
    order = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": Decimal("1.5"), "slippage": 10, **changes}
    return {name: value for name, value in order.items() if value is not None}


def await_events(stack: RunningStack, order_id: str, statuses: list[str]) -> None:
    """Wait until the history has the events of an order. The list may have the order before, from the table."""
    query = "select status from order_events where order_id = %s order by seq"
    deadline = time.monotonic() + PATIENCE_SECONDS
    with psycopg.connect(stack.endpoints["postgres"], autocommit=True) as postgres:
        while (found := [status for (status,) in postgres.execute(query, [order_id])]) != statuses:
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
