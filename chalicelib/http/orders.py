"""The routes of orders."""

from typing import Any

from chalice.app import Blueprint, Request, Response

from chalicelib.api.problems import malformed, well_formed
from chalicelib.api.records import cancellation_of, cancellations_of, record_of
from chalicelib.api.requests.amendments import read_amendment, read_if_match
from chalicelib.api.requests.orders import read_order
from chalicelib.api.requests.queries import EventsModel, ListModel, OrderIdModel, UserModel
from chalicelib.bootstrap import engine, utc_now
from chalicelib.codec.times import to_text
from chalicelib.domain.errors import FieldError
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.http.responses import CORS, answering, bad_query, json_body, json_response, query_of, read_query
from chalicelib.services.orders.submit import Submission

routes = Blueprint(__name__)

_MAX_KEY = 255
#: Of an order that waits, what its acceptance says at once.
_TOLD_AT_ENTRY = ("marketableAtEntry", "expiresAt")


@routes.route("/api/orders/execute", methods=["POST"], cors=CORS, name="execute_order")
@answering(routes)
def execute_order() -> Response:
    return _accept(routes.current_request)


@routes.route("/orders", methods=["POST"], cors=CORS, name="create_order")
@answering(routes)
def create_order() -> Response:
    return _accept(routes.current_request)


@routes.route("/api/orders/preview", methods=["POST"], cors=CORS)
@answering(routes)
def preview_order() -> Response:
    settings = engine().settings
    body = json_body(routes.current_request, settings.max_body_bytes)
    spec = read_order(body, simulation=settings.simulation, now=utc_now())
    return json_response(engine().preview(spec))


@routes.route("/api/orders", methods=["GET"], cors=CORS)
@answering(routes)
def list_orders() -> Response:
    query = read_query(ListModel, query_of(routes.current_request))
    try:
        page = engine().queries.page(query.as_filter(), query.limit, query.cursor)
    except ValueError:
        raise bad_query((FieldError("cursor", "CURSOR_INVALID", "is no cursor of this list"),)) from None
    return json_response({"orders": page.orders, "nextCursor": page.next_cursor})


@routes.route("/api/orders/{order_id}", methods=["GET"], cors=CORS)
@answering(routes)
def get_order(order_id: str) -> Response:
    return _record(engine().queries.order(_order_id(order_id)))


@routes.route("/api/orders/{order_id}", methods=["PATCH"], cors=CORS)
@answering(routes)
def amend_order(order_id: str) -> Response:
    request = routes.current_request
    seq = read_if_match(request.headers.get("if-match"))
    amendment = read_amendment(json_body(request, engine().settings.max_body_bytes), utc_now())
    return _record(engine().amend(_order_id(order_id), amendment, seq))


@routes.route("/api/orders/{order_id}", methods=["DELETE"], cors=CORS)
@answering(routes)
def cancel_order(order_id: str) -> Response:
    return json_response(cancellation_of(engine().cancel(_order_id(order_id))))


@routes.route("/api/orders", methods=["DELETE"], cors=CORS)
@answering(routes)
def cancel_orders() -> Response:
    query = read_query(UserModel, query_of(routes.current_request))
    return json_response(cancellations_of(*engine().cancel.all_of(query.user_id)))


@routes.route("/api/orders/status/{order_id}", methods=["GET"], cors=CORS)
@answering(routes)
def get_status(order_id: str) -> Response:
    record = record_of(engine().queries.order(_order_id(order_id)))
    return json_response({name: record[name] for name in ("orderId", "status", "phase", "seq", "updatedAt")})


@routes.route("/api/orders/{order_id}/events", methods=["GET"], cors=CORS)
@answering(routes)
def get_events(order_id: str) -> Response:
    query = read_query(EventsModel, query_of(routes.current_request))
    events = engine().queries.events(_order_id(order_id), query.after_seq)
    return json_response(
        {
            "orderId": _order_id(order_id),
            "events": [
                {
                    "seq": event.seq,
                    "status": event.status.value,
                    "phase": event.phase.value,
                    "attempt": event.attempt,
                    "at": to_text(event.at),
                    "meta": event.meta,
                }
                for event in events
            ],
        }
    )


def _accept(request: Request) -> Response:
    settings = engine().settings
    key = request.headers.get("idempotency-key")
    if key is not None and not (1 <= len(key) <= _MAX_KEY and key.isprintable()):
        raise malformed(f"Idempotency-Key must have 1 to {_MAX_KEY} printable characters.", "MALFORMED_KEY")
    body = json_body(request, settings.max_body_bytes)
    spec = read_order(body, simulation=settings.simulation, now=utc_now())
    submission = engine().submit(spec, idempotency_key=key)
    headers = {"Idempotent-Replayed": "true"} if submission.replayed else {}
    return json_response(_accepted(submission, settings.public_ws_url), 202, headers)


def _accepted(submission: Submission, public_ws_url: str) -> dict[str, Any]:
    """The answer to an accepted order; a repeated key gets the very same."""
    order_id, entry = submission.order_id, submission.entry
    path = f"/api/orders/{order_id}"
    return {
        "orderId": order_id,
        "status": Status.PENDING.value if entry is None else Status.OPEN.value,
        **({name: entry[name] for name in _TOLD_AT_ENTRY if name in entry} if entry else {}),
        "websocketUrl": f"{public_ws_url}?orderId={order_id}",
        "links": {"self": path, "status": f"/api/orders/status/{order_id}", "events": f"{path}/events"},
    }


def _record(order: Order) -> Response:
    """The record, and as its tag the event number that an amendment is made for."""
    return json_response(record_of(order), headers={"ETag": f'"{order.seq}"'})


def _order_id(text: str) -> str:
    """:raises ProblemError: 400 if it is no id."""
    return well_formed(OrderIdModel, {"orderId": text}, "The order id is not valid.", "MALFORMED_ID").order_id
