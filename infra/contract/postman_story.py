"""The story of the Postman collection: a market order from preview to end, a limit order, a fault, and an error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """A request of the story.

    ``call`` is a method and a path of the OpenAPI document, ``body`` the name of an example of its body, of which
    ``changes`` replaces fields. ``expect`` maps a path in the JSON of the answer to its value, ``save`` a variable to
    a path, or to the name of a header. Texts may hold variables, as in ``{{orderId}}``.
    """

    name: str
    call: str
    status: int = 200
    order: str = "{{orderId}}"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)
    save: Mapping[str, str] = field(default_factory=dict)


_FEED = "POST /api/market/events"
_PLACE = "POST /api/orders/execute"
_EVENTS = "GET /api/orders/{orderId}/events"
_RECORD = "GET /api/orders/{orderId}"
_AMEND = "PATCH /api/orders/{orderId}"
_CANCEL = "DELETE /api/orders/{orderId}"
#: The seconds of a wait for events: the most that the engine takes.
_WAIT = {"wait": "20"}
_LIMIT = "{{limitId}}"

STORY = (
    Step("Ask whether the engine is up", "GET /health", expect={"status": "ok"}),
    Step("Get quotes", "GET /api/quotes", query={"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5"}),
    Step("Preview an order", "POST /api/orders/preview", body="market", expect={"amountInBase": "1500000000"}),
    Step(
        "Place the order",
        _PLACE,
        202,
        headers={"Idempotency-Key": "{{$guid}}"},
        body="market",
        expect={"status": "pending"},
        save={"orderId": "orderId"},
    ),
    Step(
        "Watch its first event",
        _EVENTS,
        query=_WAIT,
        expect={"events[0].status": "pending"},
    ),
    Step(
        "Wait for its end",
        _EVENTS,
        query={"afterSeq": "5", **_WAIT},
        expect={"events[0].seq": 6, "events[0].status": "confirmed"},
    ),
    Step("Poll its status", "GET /api/orders/status/{orderId}", expect={"phase": "completed", "seq": 6}),
    Step(
        "Get its record",
        _RECORD,
        expect={"status": "confirmed", "attempts": 1},
        save={"etag": "ETag"},
    ),
    Step(
        "Get its record as it stood",
        _RECORD,
        query={"atSeq": "1"},
        expect={"status": "pending", "seq": 1},
    ),
    Step(
        "Ask why it went that way",
        "GET /api/orders/{orderId}/explain",
        expect={"status": "confirmed", "replay.matches": True},
    ),
    Step("Push the price of the market", _FEED, 202, body="price", expect={"accepted": True}),
    Step(
        "Place a limit order",
        _PLACE,
        202,
        headers={"Idempotency-Key": "{{$guid}}"},
        body="limit",
        expect={"status": "open", "marketableAtEntry": False},
        save={"limitId": "orderId"},
    ),
    Step("Get its tag", _RECORD, order=_LIMIT, expect={"status": "open"}, save={"etag": "ETag"}),
    Step(
        "Amend it",
        _AMEND,
        order=_LIMIT,
        headers={"If-Match": "{{etag}}"},
        body="price",
        expect={"seq": 3, "limitPrice": 310},
    ),
    Step(
        "Amend it again by the old tag",
        _AMEND,
        412,
        order=_LIMIT,
        headers={"If-Match": "{{etag}}"},
        body="price",
        expect={"code": "ORDER_MOVED_ON", "verdict.seq": 3},
    ),
    Step("Push a price that crosses its limit", _FEED, 202, body="price", changes={"price": "330"}),
    Step(
        "Wait for its trigger",
        _EVENTS,
        order=_LIMIT,
        query={"afterSeq": "3", **_WAIT},
        expect={"events[0].status": "triggered", "events[0].meta.trigger": "price"},
    ),
    Step(
        "List the limit orders",
        "GET /api/orders",
        query={"type": "limit", "limit": "1"},
        expect={"orders[0].type": "limit"},
    ),
    Step(
        "Place another limit order",
        _PLACE,
        202,
        body="limit",
        changes={"limitPrice": "9000"},
        expect={"status": "open"},
        save={"limitId": "orderId"},
    ),
    Step("Cancel it", _CANCEL, order=_LIMIT, expect={"outcome": "cancelled", "seq": 3}),
    Step("Cancel it again", _CANCEL, order=_LIMIT, expect={"outcome": "cancelled", "seq": 3}),
    Step(
        "Place an order whose venue fails once",
        _PLACE,
        202,
        body="market",
        changes={"simulate": "network_error:1"},
        save={"orderId": "orderId"},
    ),
    Step(
        "Wait for its second attempt",
        _EVENTS,
        query={"afterSeq": "6", **_WAIT},
        expect={"events[0].status": "confirmed", "events[0].attempt": 2},
    ),
    Step("Push the earlier price again", _FEED, 202, body="price"),
    Step("Get the statistics", "GET /api/stats", expect={"executionOutage": None}),
    Step(
        "Make a mistake",
        _PLACE,
        422,
        body="market",
        changes={"slipage": 2},
        expect={"code": "INVALID_ORDER", "errors[0].field": "slipage", "errors[0].code": "UNKNOWN_FIELD"},
    ),
)
