"""The routes of orders."""

from http import HTTPStatus

from chalice.app import Blueprint, Request, Response

from chalicelib.api.codes import ProblemCode
from chalicelib.api.problems import malformed
from chalicelib.api.requests.amendments import read_amendment, read_if_match
from chalicelib.api.requests.idempotency import read_key
from chalicelib.api.requests.last_event import read_last_event_id
from chalicelib.api.requests.orders import read_order
from chalicelib.api.requests.queries import EventsModel, ListModel, RecordModel, UserModel
from chalicelib.api.requests.streams import EmptyModel
from chalicelib.api.responses.event_stream import EVENT_STREAM, event_stream
from chalicelib.api.responses.orders import accepted_body, cancellation_body, cancellations_body, events_body
from chalicelib.api.responses.previews import preview_body
from chalicelib.api.responses.records import list_body, record_of, status_body
from chalicelib.bootstrap import engine
from chalicelib.domain.identity import Caller, Scope
from chalicelib.domain.orders import Order
from chalicelib.http.callers import caller_of
from chalicelib.http.headers import accepts_event_stream, header_values
from chalicelib.http.responses import (
    CORS,
    READS,
    answering,
    json_body,
    json_response,
    query_of,
    read_order_id,
    read_query,
)

routes = Blueprint(__name__)


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
    caller = _caller(Scope.READ)
    body = json_body(routes.current_request, engine().settings.max_body_bytes)
    spec = read_order(body, caller, engine().rules, engine().now())
    return json_response(preview_body(engine().preview(caller, spec), engine().rules.describe_fault))


@routes.route("/api/orders", methods=READS, cors=CORS)
@answering(routes)
def list_orders() -> Response:
    caller = _caller(Scope.READ)
    wanted = read_query(ListModel, query_of(routes.current_request))
    page = engine().list_orders(caller, wanted.as_filter(), wanted.limit, wanted.cursor)
    return json_response(list_body(page))


@routes.route("/api/orders/{order_id}", methods=READS, cors=CORS)
@answering(routes)
def get_order(order_id: str) -> Response:
    caller, query = _caller(Scope.READ), read_query(RecordModel, query_of(routes.current_request))
    return _record(engine().queries.order(caller, read_order_id(order_id), query.at_seq))


@routes.route("/api/orders/{order_id}", methods=["PATCH"], cors=CORS)
@answering(routes)
def amend_order(order_id: str) -> Response:
    request, caller = routes.current_request, _caller(Scope.TRADE)
    # Several lines mean the same as one line with a list (RFC 9110, 5.3).
    tags = header_values(request, "if-match")
    seqs = read_if_match(", ".join(tags) if tags else None)
    amendment = read_amendment(json_body(request, engine().settings.max_body_bytes), engine().now())
    return _record(engine().amend(caller, read_order_id(order_id), amendment, seqs))


@routes.route("/api/orders/{order_id}", methods=["DELETE"], cors=CORS)
@answering(routes)
def cancel_order(order_id: str) -> Response:
    return json_response(cancellation_body(engine().cancel(_caller(Scope.TRADE), read_order_id(order_id))))


@routes.route("/api/orders", methods=["DELETE"], cors=CORS)
@answering(routes)
def cancel_orders() -> Response:
    caller = _caller(Scope.TRADE)
    # Also with authentication the query names the user: a path that lost its order id must not cancel everything.
    user_id = read_query(UserModel, query_of(routes.current_request)).user_id
    return json_response(cancellations_body(engine().cancel.all_of(caller, user_id)))


@routes.route("/api/orders/status/{order_id}", methods=READS, cors=CORS)
@answering(routes)
def get_status(order_id: str) -> Response:
    caller = _caller(Scope.READ)
    read_query(EmptyModel, query_of(routes.current_request))
    return json_response(status_body(engine().queries.order(caller, read_order_id(order_id))))


@routes.route("/api/orders/{order_id}/events", methods=READS, cors=CORS)
@answering(routes)
def get_events(order_id: str) -> Response:
    request, caller = routes.current_request, _caller(Scope.READ)
    query = read_query(EventsModel, query_of(request))
    last_event_id = read_last_event_id(header_values(request, "last-event-id"))
    # An EventSource repeats its address, and names its last event in the header.
    after_seq = query.after_seq if last_event_id is None else last_event_id
    wait_seconds = 0 if request.method == "HEAD" else query.wait
    order, events = engine().read_events(caller, read_order_id(order_id), after_seq, wait_seconds)
    if not accepts_event_stream(header_values(request, "accept")):
        return json_response(events_body(order, events))
    if order.is_terminal and not events:
        # An EventSource stops at a 204; after a 200 it asks again.
        return Response("", status_code=HTTPStatus.NO_CONTENT)
    return Response(event_stream(order, events), {"Content-Type": EVENT_STREAM})


def _accept(request: Request) -> Response:
    settings, caller = engine().settings, caller_of(request, Scope.TRADE)
    key = _idempotency_key(request)
    body = json_body(request, settings.max_body_bytes)
    spec = read_order(body, caller, engine().rules, engine().now())
    submission = engine().submit(caller, spec, idempotency_key=key)
    headers = {"Idempotent-Replayed": "true"} if submission.replayed else {}
    return json_response(accepted_body(submission, settings.public_ws_url), 202, headers)


def _idempotency_key(request: Request) -> str | None:
    """:raises ProblemError: 400 if the key is not valid, or if the request has more than one."""
    keys = header_values(request, "idempotency-key")
    if len(keys) > 1:
        raise malformed("Idempotency-Key is given more than once.", ProblemCode.MALFORMED_KEY)
    return read_key(keys[0] if keys else None, "Idempotency-Key")


def _record(order: Order) -> Response:
    """The record, and as its tag the event number for ``If-Match``."""
    return json_response(record_of(order), headers={"ETag": f'"{order.seq}"'})


def _caller(scope: Scope) -> Caller:
    """:raises MissingScopeError: if the caller of the current request does not have the scope."""
    return caller_of(routes.current_request, scope)
