"""Requests and sockets of clients on the transport of the test kit."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from orderengine.core.commands import Request, Response
from orderengine.testing.handle import VirtualEngine
from orderengine.testing.transport import KitSocket

ORDER = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5", "userId": "bot"}
#: Virtual seconds.
PATIENCE = 60.0


def post(path: str, body: Mapping[str, Any], **headers: str) -> Request:
    """A request with a JSON body; an underscore in the name of a header is a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("POST", path, (), {"content-type": "application/json", **named}, json.dumps(body).encode())


def get(path: str, **query: str) -> Request:
    return Request("GET", path, tuple(query.items()), {}, None)


def asked(engine: VirtualEngine, request: Request) -> Response:
    return engine.transport.send(request, PATIENCE)


def place(engine: VirtualEngine, **fields: Any) -> str:
    """Place an order, and return its id."""
    response = asked(engine, post("/api/orders/execute", {**ORDER, **fields}))
    assert response.status == 202, response.body
    return str(body_of(response)["orderId"])


def body_of(response: Response) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(response.body)
    return body


def opened(engine: VirtualEngine, address: str, **headers: str) -> KitSocket:
    path, _, query = address.partition("?")
    return engine.transport.open(path, tuple(parse_qsl(query, keep_blank_values=True)), headers, PATIENCE)


def frames_of(socket: KitSocket, patience: float = PATIENCE) -> Iterator[dict[str, Any]]:
    """The frames of a socket, until none comes for some time."""
    while (text := socket.receive(patience)) is not None:
        yield json.loads(text)


def seqs_of(socket: KitSocket, patience: float = PATIENCE) -> list[int]:
    """The ``seq`` of each event that a socket brings, until none comes for some time."""
    return [frame["seq"] for frame in frames_of(socket, patience) if frame["type"] == "ORDER_UPDATE"]
