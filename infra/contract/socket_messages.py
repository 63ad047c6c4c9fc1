"""The messages on a socket: the actions of a client and the frames of the engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.api.frames import LiveFrame, UpdateFrame
from chalicelib.api.replies import AckFrame, AllCancelledFrame, CancelledFrame, ErrorFrame, PongFrame
from chalicelib.api.requests.streams import EmptyModel, OneOrAllModel, StreamModel
from chalicelib.domain.status import OrderType
from infra.contract.answers import Components, Schema
from infra.contract.bodies import add_launch, order_schema
from infra.contract.examples import ACTIONS, FRAMES
from infra.contract.requests import body_schema, given

#: The position of a user's stream, for every document that describes how a client resumes.
RESUME_USER = (
    "A user's stream resumes with `since`: the `at` of its `live` frame, then that of the last frame after it. A "
    "client that is cut before it has `live` connects again with the `since` that it had before: until `live`, new "
    "events may come before older ones of other orders."
)
_REQUEST_ID: Schema = {
    "description": "Text that the answer repeats: at most 128 characters without control characters, or an integer.",
    "anyOf": [
        {"type": "string", "maxLength": 128, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"},
        {"type": "integer"},
        {"type": "null"},
    ],
}
_ORDER_OR_USER = {"oneOf": [given("orderId"), given("userId")]}


@dataclass(frozen=True)
class Words:
    """A message in words; ``replies`` are the frames that answer an action, besides an error."""

    title: str
    text: str
    replies: tuple[str, ...] = field(default=())


#: The actions that a client may send.
ACTION_WORDS: Mapping[str, Words] = {
    "execute_order": Words(
        "Place an order",
        "Places the order as POST /api/orders/execute does, and subscribes this socket to it. With an "
        "idempotencyKey, a repeat within 24 hours is acknowledged with the first order, and brings all its events.",
        ("ack",),
    ),
    "subscribe": Words(
        "Join a stream",
        "Joins the stream of an order, from afterSeq + 1 on, or that of a user, with every event since a time.",
        ("ack",),
    ),
    "unsubscribe": Words("Leave a stream", "Leaves a stream. Frames that are on their way still come.", ("ack",)),
    "cancel_order": Words(
        "Cancel an order or all of a user's",
        "As DELETE /api/orders/{orderId} and DELETE /api/orders?userId= do.",
        ("cancelled", "allCancelled"),
    ),
    "ping": Words(
        "Keep the socket open",
        "API Gateway closes a socket that is silent for ten minutes, and every one after two hours.",
        ("pong",),
    ),
}
FRAME_WORDS: Mapping[str, Words] = {
    "orderUpdate": Words(
        "An event of an order",
        "Every event of an order is one frame, in the order of seq. A frame may come twice, and never not at all.",
    ),
    "coarseOrderUpdate": Words(
        "An event of an order, by phase",
        "The frames of a socket with statuses=coarse: status is the phase, and detailedStatus the status.",
    ),
    "live": Words(
        "A stream is up to date",
        "Every event up to seq, or for a user's stream up to at, has been sent; the frames that follow are new.",
    ),
    "ack": Words("An action is done", "The answer to execute_order, subscribe and unsubscribe."),
    "cancelled": Words("An order is cancelled", "The answer to cancel_order with an orderId."),
    "allCancelled": Words("A user's orders are cancelled", "The answer to cancel_order with a userId."),
    "pong": Words("The answer to a ping", "The answer to ping."),
    "error": Words(
        "A problem",
        "A problem as HTTP has it. The socket stays open, but for a flood and a credential that has ended.",
    ),
}


def action_schemas(components: Components) -> dict[str, Schema]:
    """The schema of each action."""
    launch = add_launch(components)
    orders = [_with_key(_action("execute_order", order_schema(kind, launch))) for kind in OrderType]
    return {
        "execute_order": {"oneOf": orders},
        "subscribe": _action("subscribe", body_schema(StreamModel), _ORDER_OR_USER),
        "unsubscribe": _action("unsubscribe", body_schema(OneOrAllModel), _ORDER_OR_USER),
        "cancel_order": _action("cancel_order", body_schema(OneOrAllModel), _ORDER_OR_USER),
        "ping": _action("ping", body_schema(EmptyModel)),
    }


def frame_schemas(components: Components) -> dict[str, Schema]:
    """The schema of each frame."""
    update = components.whole(UpdateFrame)
    fine = {name: schema for name, schema in update["properties"].items() if name != "detailedStatus"}
    coarse = {**update["properties"], "status": {**fine["phase"], "description": "The phase."}}
    live = components.whole(LiveFrame)
    return {
        "orderUpdate": {**update, "properties": fine},
        "coarseOrderUpdate": {**update, "properties": coarse, "required": [*update["required"], "detailedStatus"]},
        "live": {
            **live,
            "required": ["type"],
            "oneOf": [{"required": ["orderId", "seq"]}, {"required": ["userId", "at"]}],
        },
        "ack": components.whole(AckFrame),
        "cancelled": components.whole(CancelledFrame),
        "allCancelled": components.whole(AllCancelledFrame),
        "pong": components.whole(PongFrame),
        "error": components.whole(ErrorFrame),
    }


def messages(schemas: Mapping[str, Schema], words: Mapping[str, Words]) -> dict[str, Any]:
    """The messages with these schemas, as components of the document."""
    examples = {**ACTIONS, **FRAMES}
    return {
        name: {
            "name": name,
            "title": words[name].title,
            "summary": words[name].text,
            "contentType": "application/json",
            "payload": schema,
            "examples": [
                {"name": key, "summary": one["summary"], "payload": one["value"]}
                for key, one in examples[name].items()
            ],
        }
        for name, schema in schemas.items()
    }


def _with_key(action: Schema) -> Schema:
    """The action with the key that is a header over HTTP, where fewer characters can be sent."""
    key = {
        "type": ["string", "null"],
        "minLength": 1,
        "maxLength": 255,
        "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f\\ufffd]*$",
        "description": "A key of the client's own, as the header Idempotency-Key.",
    }
    return {**action, "properties": {**action["properties"], "idempotencyKey": key}}


def _action(name: str, fields: Schema, *rules: Schema) -> Schema:
    action: Schema = {"type": "string", "const": name, "description": "What the message does."}
    properties = {"action": action, "requestId": _REQUEST_ID, **fields["properties"]}
    every = [*fields.get("allOf", ()), *rules]
    return {
        **fields,
        "properties": properties,
        "required": ["action", *fields["required"]],
        **({"allOf": every} if every else {}),
    }
