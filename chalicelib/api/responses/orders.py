"""Answers to the calls that place, cancel and follow orders."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from chalicelib.api.frames import EventBody, event_body
from chalicelib.api.verdicts import Verdict, verdict_of
from chalicelib.codec.times import to_text
from chalicelib.domain.events import Event
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.services.orders.cancel import Cancellations
from chalicelib.services.orders.submit import Submission


#: The links of an accepted order, by relation.
class LinksBody(TypedDict):
    self: str
    status: str
    events: str
    explain: str


class AcceptedBody(TypedDict):
    """The answer to an accepted order; a repeated idempotency key returns the same."""

    orderId: str
    status: str
    marketableAtEntry: NotRequired[bool]
    expiresAt: NotRequired[str]
    websocketUrl: str
    links: LinksBody


class CancellationBody(TypedDict):
    orderId: str
    outcome: str
    status: str
    phase: str
    seq: int


class TooLateBody(Verdict):
    orderId: str


class CancellationsBody(TypedDict):
    """The answer to cancelling all of a user's orders. ``more``: further orders remain to be cancelled."""

    cancelled: list[CancellationBody]
    tooLate: list[TooLateBody]
    more: bool


class EventsBody(TypedDict):
    orderId: str
    events: list[EventBody]


def accepted_body(submission: Submission, public_ws_url: str) -> AcceptedBody:
    order_id, opened = submission.order_id, submission.opened
    path = f"/api/orders/{order_id}"
    body: AcceptedBody = {
        "orderId": order_id,
        "status": Status.OPEN.value if opened else Status.PENDING.value,
        "websocketUrl": f"{public_ws_url}?orderId={order_id}",
        "links": {
            "self": path,
            "status": f"/api/orders/status/{order_id}",
            "events": f"{path}/events",
            "explain": f"{path}/explain",
        },
    }
    if opened and opened.marketable is not None:
        body["marketableAtEntry"] = opened.marketable
    if opened and opened.terms.expires_at:
        body["expiresAt"] = to_text(opened.terms.expires_at)
    return body


def cancellation_body(order: Order) -> CancellationBody:
    return {
        "orderId": order.order_id,
        "outcome": "cancelled",
        "status": order.current_status.value,
        "phase": order.phase.value,
        "seq": order.seq,
    }


def cancellations_body(result: Cancellations) -> CancellationsBody:
    return {
        "cancelled": [cancellation_body(order) for order in result.cancelled],
        "tooLate": [{"orderId": error.order_id, **verdict_of(error)} for error in result.too_late],
        "more": result.more,
    }


def events_body(order: Order, events: Sequence[Event]) -> EventsBody:
    return {"orderId": order.order_id, "events": [event_body(order, event) for event in events]}
