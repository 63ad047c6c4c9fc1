"""The actions that a client may send on a socket. Answers are pushed; an error leaves the socket open."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from chalicelib.api.codes import ProblemCode
from chalicelib.api.frames import reply_frame
from chalicelib.api.problems import malformed, problem_of
from chalicelib.api.requests.body import parse_json, refuse_repeated
from chalicelib.api.requests.fields import has_controls
from chalicelib.api.requests.orders import read_order
from chalicelib.api.requests.streams import read_cancel, read_stream
from chalicelib.api.responses.orders import cancellation_body, cancellations_body
from chalicelib.auth import caller_of
from chalicelib.codec.times import to_text
from chalicelib.domain.identity import Caller
from chalicelib.engine import Engine
from chalicelib.outages import UNAVAILABLE
from chalicelib.ports.streams import ConnectionGoneError, PushFailedError, Subscriber

log = logging.getLogger(__name__)

#: The engine echoes request ids up to this length.
_MAX_REQUEST_ID_LENGTH = 128
#: How errors name what the client sent.
_SUBJECT = "A message"


@dataclass(frozen=True, slots=True)
class SocketRequest:
    """A message of a client: its connection, caller and request id, and the fields of the action."""

    engine: Engine
    subscriber: Subscriber
    caller: Caller
    request_id: str | int | None
    fields: Mapping[str, Any]

    def reply(self, kind: str, **fields: Any) -> None:
        frame = reply_frame(kind, self.request_id, **fields)
        self.engine.sockets.push(self.subscriber.connection_id, frame)


def handle_message(engine: Engine, event: Mapping[str, Any]) -> None:
    """``$default``: perform the action of a message and answer, or answer with a problem."""
    connection_id = event["requestContext"]["connectionId"]
    request_id: str | int | None = None
    try:
        try:
            fields, repeated = parse_json(event.get("body") or "", engine.settings.max_body_bytes, _SUBJECT)
            request_id = None if "requestId" in repeated else _request_id(fields)
            refuse_repeated(repeated, _SUBJECT)
            action = _ACTIONS.get(str(fields.pop("action", None) or ""))
            if action is None:
                raise malformed(f"action must be one of {', '.join(_ACTIONS)}.", ProblemCode.UNKNOWN_ACTION)
            subscriber = engine.connections.subscriber(connection_id)
            action(SocketRequest(engine, subscriber, caller_of(fields), request_id, fields))
        except (ConnectionGoneError, PushFailedError):
            raise
        except Exception as error:
            problem = problem_of(error, UNAVAILABLE)
            log.info("message refused", extra={"connectionId": connection_id, "code": problem.code})
            engine.sockets.push(connection_id, reply_frame("error", request_id, **problem.as_fields()))
    except (ConnectionGoneError, PushFailedError):
        log.info("connection gone before the answer", extra={"connectionId": connection_id})


def _request_id(fields: dict[str, Any]) -> str | int | None:
    request_id = fields.pop("requestId", None)
    if request_id is None or (isinstance(request_id, int) and not isinstance(request_id, bool)):
        return request_id
    if isinstance(request_id, str) and len(request_id) <= _MAX_REQUEST_ID_LENGTH and not has_controls(request_id):
        return request_id
    limits = f"at most {_MAX_REQUEST_ID_LENGTH} characters without control characters"
    raise malformed(f"requestId must be a string of {limits}, or an integer.")


def _execute_order(request: SocketRequest) -> None:
    engine = request.engine
    spec = read_order(request.fields, request.caller, engine.rules, engine.now())

    def acknowledge(order_id: str) -> None:
        try:
            request.reply("ack", action="execute_order", orderId=order_id)
        except (ConnectionGoneError, PushFailedError):
            # The order is accepted whether or not its client is still connected.
            log.info("connection gone before the ack", extra={"orderId": order_id})

    engine.submit(request.caller, spec, subscriber=request.subscriber, acknowledge=acknowledge)


def _subscribe(request: SocketRequest) -> None:
    wanted = read_stream(request.fields)
    subscriptions, subscriber = request.engine.subscriptions, request.subscriber
    if wanted.order_id is not None:
        ack = partial(request.reply, "ack", action="subscribe", orderId=wanted.order_id)
        subscriptions.join_order(request.caller, subscriber, wanted.order_id, wanted.after_seq, acknowledge=ack)
        return
    user_id = wanted.user_id or ""
    user_streams = request.engine.user_streams
    user_streams.follow(request.caller, subscriber, user_id)
    request.reply("ack", action="subscribe", userId=user_id)
    user_streams.queue_look(subscriber, user_id)


def _unsubscribe(request: SocketRequest) -> None:
    wanted = read_stream(request.fields)
    subscriptions, subscriber = request.engine.subscriptions, request.subscriber
    if wanted.order_id is not None:
        subscriptions.leave_order(request.caller, subscriber, wanted.order_id)
        request.reply("ack", action="unsubscribe", orderId=wanted.order_id)
    else:
        request.engine.user_streams.unfollow(request.caller, subscriber, wanted.user_id or "")
        request.reply("ack", action="unsubscribe", userId=wanted.user_id)


def _cancel_order(request: SocketRequest) -> None:
    wanted, cancel = read_cancel(request.fields), request.engine.cancel
    if wanted.order_id is not None:
        cancelled = cancel(request.caller, wanted.order_id)
        request.reply("ack", action="cancel_order", **cancellation_body(cancelled))
    else:
        result = cancel.all_of(request.caller, wanted.user_id)
        request.reply("ack", action="cancel_order", userId=result.user_id, **cancellations_body(result))


def _ping(request: SocketRequest) -> None:
    request.reply("pong", at=to_text(request.engine.now()))


_ACTIONS: dict[str, Callable[[SocketRequest], None]] = {
    "execute_order": _execute_order,
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "cancel_order": _cancel_order,
    "ping": _ping,
}
