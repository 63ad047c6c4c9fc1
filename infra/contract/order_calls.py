"""The calls about orders, in words."""

from typing import Any

from chalicelib.api.codes import ProblemCode
from chalicelib.api.requests.fields import RequestModel
from chalicelib.api.requests.queries import EventsModel, ListModel, RecordModel, UserModel
from chalicelib.api.responses.explanations import ExplanationBody
from chalicelib.api.responses.orders import AcceptedBody, CancellationBody, CancellationsBody, EventsBody
from chalicelib.api.responses.previews import PreviewBody
from chalicelib.api.responses.records import ListBody, OrderRecord, StatusBody
from chalicelib.domain.identity import Scope
from infra.contract.operations import Answer, Operation
from infra.contract.problems import ONE_ORDER, ORDER_BODY


class UpgradeModel(RequestModel):
    """The query of a submission, which changes nothing: the answer has the address of the stream in any case."""

    upgrade: str | None = None


_OF_THE_ANSWER, _OF_THE_PATH = "$response.body#/orderId", "$request.path.orderId"
_SUBMIT: dict[str, Any] = {
    "tag": "Orders",
    "scope": Scope.TRADE,
    "query": UpgradeModel,
    "body": "OrderRequest",
    "headers": ("Idempotency-Key",),
    "answers": {
        202: Answer("The order is accepted, and executed from now on.", (AcceptedBody,), ("Idempotent-Replayed",))
    },
    "problems": (
        *ORDER_BODY,
        ProblemCode.MALFORMED_KEY,
        ProblemCode.POOL_ALREADY_LIVE,
        ProblemCode.IDEMPOTENCY_KEY_REUSED,
        ProblemCode.RATE_LIMITED,
        ProblemCode.BACKLOG_FULL,
        ProblemCode.OPEN_ORDERS_FULL,
    ),
    "links": dict.fromkeys(
        ("getOrder", "getOrderStatus", "getOrderEvents", "explainOrder", "amendOrder", "cancelOrder"), _OF_THE_ANSWER
    ),
}
_SUBMITTING = (
    "The answer comes once the order is stored; its progress comes on the status stream. With an Idempotency-Key, or "
    "a clientOrderId, a repeat within 24 hours gets the first answer and places nothing."
)
ORDER_CALLS: dict[tuple[str, str], Operation] = {
    ("POST", "/api/orders/execute"): Operation("executeOrder", summary="Place an order", text=_SUBMITTING, **_SUBMIT),
    ("POST", "/orders"): Operation(
        "createOrder",
        summary="Place an order (short path)",
        text=f"The same as POST /api/orders/execute. {_SUBMITTING}",
        **_SUBMIT,
    ),
    ("POST", "/api/orders/preview"): Operation(
        "previewOrder",
        "Orders",
        "Preview an order",
        "What would happen to the order now: the quotes of all venues, the route, the least output, warnings and a "
        "summary. Nothing is placed or kept.",
        Scope.READ,
        {200: Answer("The preview.", (PreviewBody,))},
        body="OrderRequest",
        problems=(*ORDER_BODY, ProblemCode.POOL_ALREADY_LIVE),
    ),
    ("GET", "/api/orders"): Operation(
        "listOrders",
        "Orders",
        "List orders",
        "The orders that match every filter, newest first. A list has every order of a user from its 202 on. While "
        "the history is away, the list of a user still answers, and a list of all users fails with "
        "HISTORY_UNAVAILABLE.",
        Scope.READ,
        {200: Answer("A page of orders.", (ListBody,))},
        query=ListModel,
        problems=(ProblemCode.HISTORY_UNAVAILABLE,),
    ),
    ("DELETE", "/api/orders"): Operation(
        "cancelOrders",
        "Orders",
        "Cancel all of a user's orders",
        "Cancels every order of the user that can still be cancelled, and names those for which it is too late.",
        Scope.TRADE,
        {200: Answer("What was cancelled and what was not.", (CancellationsBody,))},
        query=UserModel,
    ),
    ("GET", "/api/orders/{orderId}"): Operation(
        "getOrder",
        "Orders",
        "Get an order",
        "The record of the order, now or as it stood after the event atSeq.",
        Scope.READ,
        {200: Answer("The record. Its ETag is the seq.", (OrderRecord,), ("ETag",))},
        query=RecordModel,
        problems=ONE_ORDER,
        links={
            "amendOrder": _OF_THE_PATH,
            "cancelOrder": _OF_THE_PATH,
            "getOrderEvents": _OF_THE_PATH,
            "explainOrder": _OF_THE_PATH,
        },
    ),
    ("PATCH", "/api/orders/{orderId}"): Operation(
        "amendOrder",
        "Orders",
        "Amend an open order",
        "Changes the limit price, the tolerance or the expiry of an order that is open. With If-Match the order must "
        "be at that seq.",
        Scope.TRADE,
        {200: Answer("The record as amended. Its ETag is the seq.", (OrderRecord,), ("ETag",))},
        body="AmendRequest",
        headers=("If-Match",),
        problems=(
            *ORDER_BODY,
            *ONE_ORDER,
            ProblemCode.MALFORMED_IF_MATCH,
            ProblemCode.NOT_AMENDABLE,
            ProblemCode.AMENDED_TOO_OFTEN,
            ProblemCode.ORDER_MOVED_ON,
        ),
        links={"amendOrder": _OF_THE_PATH, "getOrder": _OF_THE_PATH},
    ),
    ("DELETE", "/api/orders/{orderId}"): Operation(
        "cancelOrder",
        "Orders",
        "Cancel an order",
        "Cancels the order unless its transaction is being sent or it is over: then 409 with the verdict. A "
        "cancelled order never trades. A repeat gets the same answer.",
        Scope.TRADE,
        {200: Answer("The order is cancelled.", (CancellationBody,))},
        problems=(*ONE_ORDER, ProblemCode.CANCEL_TOO_LATE),
        links={"getOrder": _OF_THE_PATH},
    ),
    ("GET", "/api/orders/status/{orderId}"): Operation(
        "getOrderStatus",
        "Orders",
        "Poll an order",
        "The status alone: the cheap poll.",
        Scope.READ,
        {200: Answer("The status.", (StatusBody,))},
        problems=ONE_ORDER,
    ),
    ("GET", "/api/orders/{orderId}/events"): Operation(
        "getOrderEvents",
        "Orders",
        "Get the events of an order",
        "The events after afterSeq. With wait it answers as soon as there is one, or with none when the time is up. "
        "With authentication, server-sent events need a client that sends headers, such as curl or fetch: the "
        "EventSource of a browser cannot send Authorization.",
        Scope.READ,
        {
            200: Answer(
                "The events; with Accept: text/event-stream as server-sent events, which end with the body.",
                (EventsBody,),
                is_streamed=True,
            ),
            204: Answer("With Accept: text/event-stream: the order is over, and the client has every event."),
        },
        query=EventsModel,
        headers=("Last-Event-ID",),
        problems=(*ONE_ORDER, ProblemCode.MALFORMED_REQUEST, ProblemCode.TOO_MANY_WAITS),
    ),
    ("GET", "/api/orders/{orderId}/explain"): Operation(
        "explainOrder",
        "Orders",
        "Explain an order",
        "Why the order was executed as it was: the story in plain words, the quotes with their arithmetic, the rule "
        "that decided, each attempt's error, and what would have filled an order that did not fill.",
        Scope.READ,
        {200: Answer("The explanation.", (ExplanationBody,))},
        problems=ONE_ORDER,
    ),
}
