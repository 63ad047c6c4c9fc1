"""The routes of orders."""

from datetime import datetime
from typing import Any

from chalice.app import Blueprint, Request, Response
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from chalicelib.bootstrap import engine
from chalicelib.domain.errors import FieldError
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import find_pair, find_token
from chalicelib.encoding.record import record_of
from chalicelib.encoding.times import from_text, to_text
from chalicelib.http.answers import CORS, answering, bad_query, json_answer, json_body, query_of, read_query
from chalicelib.ports import OrderFilter
from chalicelib.services.submit import Submission
from chalicelib.wire.fields import OrderId, UserId, WireModel
from chalicelib.wire.orders import read_order
from chalicelib.wire.problems import malformed

routes = Blueprint(__name__)

_MAX_KEY = 255
_MAX_PAGE = 200


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
    spec = read_order(body, simulation=settings.simulation)
    return json_answer(engine().queries.preview(spec))


@routes.route("/api/orders", methods=["GET"], cors=CORS)
@answering(routes)
def list_orders() -> Response:
    query = read_query(_ListModel, query_of(routes.current_request))
    try:
        page = engine().queries.page(query.as_filter(), query.limit, query.cursor)
    except ValueError:
        raise bad_query((FieldError("cursor", "CURSOR_INVALID", "is no cursor of this list"),)) from None
    return json_answer({"orders": page.orders, "nextCursor": page.next_cursor})


@routes.route("/api/orders/{order_id}", methods=["GET"], cors=CORS)
@answering(routes)
def get_order(order_id: str) -> Response:
    return json_answer(record_of(engine().queries.order(_order_id(order_id))))


@routes.route("/api/orders/status/{order_id}", methods=["GET"], cors=CORS)
@answering(routes)
def get_status(order_id: str) -> Response:
    record = record_of(engine().queries.order(_order_id(order_id)))
    return json_answer({name: record[name] for name in ("orderId", "status", "phase", "seq", "updatedAt")})


@routes.route("/api/orders/{order_id}/events", methods=["GET"], cors=CORS)
@answering(routes)
def get_events(order_id: str) -> Response:
    query = read_query(_EventsModel, query_of(routes.current_request))
    events = engine().queries.events(_order_id(order_id), query.after_seq)
    return json_answer(
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
    spec = read_order(json_body(request, settings.max_body_bytes), simulation=settings.simulation)
    submission = engine().submit(spec, idempotency_key=key)
    headers = {"Idempotent-Replayed": "true"} if submission.replayed else {}
    return json_answer(_accepted(submission, settings.public_ws_url), 202, headers)


def _accepted(submission: Submission, public_ws_url: str) -> dict[str, Any]:
    """The answer to an accepted order; a repeated key gets the very same."""
    order_id = submission.order_id
    path = f"/api/orders/{order_id}"
    return {
        "orderId": order_id,
        "status": Status.PENDING.value,
        "websocketUrl": f"{public_ws_url}?orderId={order_id}",
        "links": {"self": path, "status": f"/api/orders/status/{order_id}", "events": f"{path}/events"},
    }


class _IdModel(WireModel):
    order_id: OrderId = Field(alias="orderId")


def _order_id(text: str) -> str:
    return read_query(_IdModel, {"orderId": text}).order_id


class _EventsModel(WireModel):
    after_seq: int = Field(0, alias="afterSeq", ge=0, strict=False)


class _ListModel(WireModel):
    """The filters of the list; every value is text in a query."""

    user_id: UserId | None = Field(None, alias="userId")
    status: Status | None = Field(None, strict=False)
    type: OrderType | None = Field(None, strict=False)
    pair: str | None = None
    client_order_id: str | None = Field(None, alias="clientOrderId", max_length=255)
    since: datetime | None = Field(None, alias="from")
    until: datetime | None = Field(None, alias="to")
    limit: int = Field(50, ge=1, le=_MAX_PAGE, strict=False)
    cursor: str | None = Field(None, max_length=512)

    @field_validator("since", "until", mode="before")
    @classmethod
    def _time_has_a_zone(cls, value: str) -> datetime:
        try:
            return from_text(value)
        except ValueError:
            raise PydanticCustomError("time_invalid", "must be an RFC 3339 time with a zone") from None

    @field_validator("client_order_id")
    @classmethod
    def _is_text(cls, value: str | None) -> str | None:
        if value is not None and not value.isprintable():
            raise PydanticCustomError("not_printable", "must not hold control characters")
        return value

    @field_validator("pair")
    @classmethod
    def _pair_is_known(cls, value: str | None) -> str | None:
        if value is None:
            return None
        one, _, other = value.replace("-", "/").partition("/")
        tokens = find_token(one), find_token(other)
        pair = find_pair(tokens[0], tokens[1]) if tokens[0] and tokens[1] and tokens[0] != tokens[1] else None
        if pair is None:
            raise PydanticCustomError("pair_unknown", "must be two tokens with a market, as in SOL/USDC")
        return pair.name

    def as_filter(self) -> OrderFilter:
        return OrderFilter(
            user_id=self.user_id,
            status=self.status,
            type=self.type,
            pair=self.pair,
            client_order_id=self.client_order_id,
            since=self.since,
            until=self.until,
        )
