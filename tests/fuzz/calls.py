"""Random requests for every call of the API and every action of a socket."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import simplejson
from hypothesis import strategies as st

from chalicelib.api.requests.amendments import AmendModel
from chalicelib.api.requests.market_events import PoolModel, PriceModel
from chalicelib.api.requests.orders import OrderModel
from chalicelib.api.requests.queries import EventsModel, ListModel, RecordModel, StatsModel, UserModel
from chalicelib.api.requests.streams import HandshakeModel, OneOrAllModel, StreamModel
from chalicelib.api.requests.swaps import SwapModel
from tests.fuzz.values import HOSTILE, MINTS, Values, fields_of, mostly

_SWAP = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5"}
_ORDERS = (
    _SWAP,
    {"tokenIn": "USDC", "tokenOut": "SOL", "amount": 20, "slippageBps": 50},
    {**_SWAP, "type": "limit", "limitPrice": "1000000"},
    {**_SWAP, "type": "sniper", "tokenOut": MINTS[0]},
)
_EVENTS = (
    {"type": "price", "pair": "SOL/USDC", "price": "150"},
    {"type": "pool_created", "mint": MINTS[0], "venue": "raydium"},
)


_VISIBLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20).map(str.strip)
_STREAM_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Accept": mostly(st.just("text/event-stream"), _VISIBLE),
        "Last-Event-ID": mostly(st.integers(0, 9).map(str), _VISIBLE),
    },
)


@dataclass(frozen=True)
class Request:
    """A request over HTTP. ``call``: the route, by which the report counts. ``path`` is quoted."""

    call: str
    method: str
    path: str
    query: dict[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    signed_in: bool = True

    @property
    def makes_orders(self) -> bool:
        return self.call in ("POST /api/orders/execute", "POST /orders")


@dataclass(frozen=True)
class Message:
    """A message on a socket, as text."""

    action: str
    text: str


def requests(order_ids: list[str]) -> st.SearchStrategy[Request]:
    """Requests of all calls, about these orders among others."""
    orders = _orders(order_ids)
    order = fields_of(OrderModel, orders=orders, valid=_ORDERS)
    about_one = [
        _call("GET", "/api/orders/{}", orders, query=fields_of(RecordModel, orders=orders)),
        _call("DELETE", "/api/orders/{}", orders),
        _call("GET", "/api/orders/status/{}", orders),
        _call("GET", "/api/orders/{}/events", orders, fields_of(EventsModel, orders=orders), headers=_STREAM_HEADERS),
        _call("GET", "/api/orders/{}/explain", orders),
        _call("PATCH", "/api/orders/{}", orders, body=fields_of(AmendModel, orders=orders)),
    ]
    return st.one_of(
        *about_one,
        _call("POST", "/api/orders/execute", body=order),
        _call("POST", "/orders", body=order),
        _call("POST", "/api/orders/preview", body=order),
        _call("GET", "/api/orders", query=fields_of(ListModel, orders=orders)),
        _call("DELETE", "/api/orders", query=fields_of(UserModel, orders=orders)),
        _call("GET", "/api/quotes", query=fields_of(SwapModel, orders=orders, valid=[_SWAP])),
        _call("POST", "/api/market/events", body=fields_of(PriceModel, PoolModel, orders=orders, valid=_EVENTS)),
        _call("POST", "/api/stream-tickets", body=st.just({})),
        _call("GET", "/api/tokens"),
        _call("GET", "/api/stats", query=fields_of(StatsModel, orders=orders)),
        _call("GET", "/api/engine"),
        _call("GET", "/health"),
        _call("GET", "/"),
        _call("GET", "/ui/{}", orders),
        _call("GET", "/docs"),
        _call("GET", "/llms.txt"),
        st.builds(_anywhere, st.sampled_from(["GET", "PUT", "POST", "DELETE"]), st.text(max_size=30)),
    )


def _with_key(order: dict[str, Any], key: object) -> dict[str, Any]:
    return {**order, "idempotencyKey": key}


def messages(order_ids: list[str]) -> st.SearchStrategy[list[Message]]:
    """A few messages of all actions, about these orders among others."""
    orders = _orders(order_ids)
    targets = [{"orderId": order_id} for order_id in order_ids]
    stream = fields_of(StreamModel, orders=orders, valid=targets)
    one_or_all = fields_of(OneOrAllModel, orders=orders, valid=[*targets, {"userId": "fuzz-1"}])
    keyed = st.builds(_with_key, st.sampled_from(_ORDERS), st.one_of(st.text(max_size=300), st.integers(), st.none()))
    one = st.one_of(
        _message("execute_order", fields_of(OrderModel, orders=orders, valid=_ORDERS)),
        _message("execute_order", keyed),
        _message("subscribe", stream),
        _message("unsubscribe", stream),
        _message("cancel_order", one_or_all),
        _message("ping", st.just({})),
        _message("nonsense", one_or_all),
        st.text(min_size=1, max_size=200).map(lambda text: Message("text", text)),
    )
    return st.lists(one, min_size=1, max_size=6)


def handshakes(order_ids: list[str]) -> st.SearchStrategy[dict[str, str]]:
    """The queries of handshakes."""
    return fields_of(HandshakeModel, orders=_orders(order_ids)).map(
        lambda fields: {name: _text(value) for name, value in fields.items()}
    )


def _orders(order_ids: list[str]) -> Values:
    return st.one_of(st.sampled_from(order_ids), st.sampled_from(order_ids), st.uuids().map(str))


def _call(
    method: str,
    path: str,
    orders: Values | None = None,
    query: Values | None = None,
    body: Values | None = None,
    headers: st.SearchStrategy[dict[str, str]] | None = None,
) -> st.SearchStrategy[Request]:
    if headers is None:
        headers = _headers(method) if body is not None else st.just({})
    return st.builds(
        _request,
        st.just((method, path)),
        mostly(orders, HOSTILE) if orders is not None else st.just(""),
        query if query is not None else st.just({}),
        _bodies(body) if body is not None else st.none(),
        headers,
        st.sampled_from([True, True, True, False]),
    )


def _request(
    call: tuple[str, str],
    order_id: Any,
    query: dict[str, Any],
    body: bytes | None,
    headers: dict[str, str],
    signed_in: bool,
) -> Request:
    method, path = call
    texts = {name: _text(value) for name, value in query.items()}
    filled = path.format(quote(_text(order_id) or "x", safe=""))
    return Request(f"{method} {path}", method, filled, texts, body, headers, signed_in)


def _anywhere(method: str, text: str) -> Request:
    return Request("elsewhere", method, "/" + quote(text, safe=""))


def _bodies(objects: Values) -> st.SearchStrategy[bytes]:
    """Mostly JSON objects; also other JSON, cut JSON, repeated names, deep nesting and bytes."""
    encoded = objects.map(_json)
    broken = st.one_of(
        HOSTILE.map(_json),
        encoded.map(lambda text: text[:-1]),
        encoded.map(lambda text: text[:-1] + b',"userId":"a","userId":"b"}'),
        st.integers(1, 1600).map(lambda depth: b'{"launch":' * depth + b"1" + b"}" * depth),
        st.binary(max_size=60),
    )
    return mostly(encoded, broken)


def _headers(method: str) -> st.SearchStrategy[dict[str, str]]:
    types = mostly(st.just("application/json"), st.sampled_from(["application/json; charset=utf-16", "text/plain"]))
    tags = mostly(st.just("*"), st.sampled_from(['"1"', '"x', "W/"]))
    known = {"Idempotency-Key": _VISIBLE} if method == "POST" else {"If-Match": tags}
    return st.fixed_dictionaries({"Content-Type": types}, optional=known)


def _message(action: str, fields: Values) -> st.SearchStrategy[Message]:
    ids = mostly(st.one_of(st.integers(0, 99), st.text("abc", max_size=8)), HOSTILE)

    def said(content: dict[str, Any], request_id: Any) -> Message:
        return Message(action, _json({"action": action, "requestId": request_id, **content}).decode())

    return st.builds(said, fields, ids)


def _json(value: Any) -> bytes:
    return str(simplejson.dumps(value)).encode()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _json(value).decode()
