"""The frames that the engine sends on a socket."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

from chalicelib.api.meta import meta_of
from chalicelib.api.problems import Problem
from chalicelib.codec.exact_json import dumps
from chalicelib.codec.times import to_text
from chalicelib.domain.events import Event
from chalicelib.domain.orders import Order


class UpdateFrame(TypedDict):
    """An event of an order. ``detailedStatus`` is present in coarse frames, whose ``status`` is the phase."""

    type: Literal["ORDER_UPDATE"]
    orderId: str
    userId: str
    seq: int
    status: str
    detailedStatus: NotRequired[str]
    phase: str
    attempt: int
    at: str
    meta: Mapping[str, Any]


class LiveFrame(TypedDict, total=False):
    """A stream is up to date, and live from here on.

    ``seq`` is the last event of an order that the client has. A user's stream has brought everything up to ``at``.
    """

    type: Literal["live"]
    orderId: str
    seq: int
    userId: str
    at: str


class EventBody(TypedDict):
    """An event of an order in the answer of the events call."""

    seq: int
    status: str
    phase: str
    attempt: int
    at: str
    meta: Mapping[str, Any]


def update_frame(order: Order, event: Event, coarse: bool) -> str:
    """The ``UpdateFrame`` of one event as JSON text."""
    body = event_body(order, event)
    status = {"status": body["phase"], "detailedStatus": body["status"]} if coarse else {}
    frame = {"type": "ORDER_UPDATE", "orderId": order.order_id, "userId": order.spec.user_id}
    return dumps({**frame, **body, **status})


def event_body(order: Order, event: Event) -> EventBody:
    return {
        "seq": event.seq,
        "status": event.status.value,
        "phase": event.phase.value,
        "attempt": event.attempt,
        "at": to_text(event.at),
        "meta": meta_of(order.spec, event),
    }


def live_frame(order_id: str, seq: int) -> str:
    """The stream of an order has brought everything up to ``seq``, and is live."""
    frame: LiveFrame = {"type": "live", "orderId": order_id, "seq": seq}
    return dumps(frame)


def user_live_frame(user_id: str, at: datetime) -> str:
    """The stream of a user has brought everything up to a time, and is live."""
    frame: LiveFrame = {"type": "live", "userId": user_id, "at": to_text(at)}
    return dumps(frame)


def reply_frame(kind: str, request_id: object = None, **fields: Any) -> str:
    """The answer to a message of the client: ``ack``, ``pong`` or ``error``."""
    request = {} if request_id is None else {"requestId": request_id}
    return dumps({"type": kind, **request, **fields})


def error_frame(problem: Problem, request_id: object = None) -> str:
    return reply_frame("error", request_id, **problem.as_fields())
