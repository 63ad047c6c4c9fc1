"""The actions that a client may send on a socket. Answers are pushed; an error leaves the socket open."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from chalicelib.api.codes import ProblemCode
from chalicelib.api.frames import error_frame, live_frame, reply_frame
from chalicelib.api.problems import ProblemError, malformed, problem_of
from chalicelib.api.requests.idempotency import read_key
from chalicelib.api.requests.orders import read_order
from chalicelib.api.requests.streams import (
    OneOrAllModel,
    StreamModel,
    read_cancel,
    read_left_stream,
    read_ping,
    read_stream,
)
from chalicelib.api.responses.orders import cancellation_body, cancellations_body
from chalicelib.codec.times import to_text
from chalicelib.domain.errors import RefusedError, TooManySubscriptionsError
from chalicelib.domain.identity import Caller
from chalicelib.engine import Engine
from chalicelib.observability import streams as observe
from chalicelib.outages import UNAVAILABLE
from chalicelib.ports.streams import Connection, ConnectionGoneError, PushFailedError, Subscriber
from chalicelib.services.streams.subscription_limit import subscription_of
from chalicelib.streaming.entries import entry_of
from chalicelib.streaming.messages import Message, read_message

#: The field of ``execute_order`` that is the header ``Idempotency-Key`` over HTTP.
_KEY = "idempotencyKey"


@dataclass(frozen=True, slots=True)
class SocketRequest:
    """A message of a client: its connection, caller and request id, and the fields of the action."""

    engine: Engine
    connection: Connection
    caller: Caller
    request_id: str | int | None
    fields: Mapping[str, Any]

    @property
    def subscriber(self) -> Subscriber:
        return Subscriber(self.connection.connection_id, self.connection.coarse)

    def reply(self, kind: str, **fields: Any) -> None:
        frame = reply_frame(kind, self.request_id, **fields)
        self.engine.sockets.push(self.connection.connection_id, frame)


def handle_message(engine: Engine, event: Mapping[str, Any]) -> None:
    """``$default``: perform the action of a message and answer, or answer with a problem.

    A message on a socket that is closed, or that the message has closed, gets no answer. A socket that does not take
    its answer is closed: its client could not know what the engine has done.
    """
    with entry_of(event):
        _handle(engine, event["requestContext"]["connectionId"], event.get("body") or "")


def _handle(engine: Engine, connection_id: str, body: str) -> None:
    message = read_message(body, engine.settings.max_body_bytes)
    try:
        try:
            if connection := _admit(engine, connection_id, message):
                _perform(engine, connection, message)
        except (ConnectionGoneError, PushFailedError):
            raise
        except Exception as error:
            problem = problem_of(error, UNAVAILABLE)
            observe.action_refused(problem.code)
            engine.sockets.push(connection_id, error_frame(problem, message.request_id))
    except ConnectionGoneError:
        observe.connection_gone()
    except PushFailedError:
        engine.connections.end_slow(connection_id)


def _admit(engine: Engine, connection_id: str, message: Message) -> Connection | None:
    with suppress(ProblemError):
        # The action answers with the problem.
        if message.action == "subscribe":
            begun = _subscription(read_stream(message.fields, engine.now()))
            return engine.admit_message(connection_id, message.request_id, subscribes=begun)
        if message.action == "unsubscribe":
            ended = _subscription(read_left_stream(message.fields))
            return engine.admit_message(connection_id, message.request_id, unsubscribes=ended)
    return engine.admit_message(connection_id, message.request_id)


def _perform(engine: Engine, connection: Connection, message: Message) -> None:
    if connection.caller:
        engine.request_rate.admit(connection.caller)
    if message.problem:
        raise message.problem
    action = ACTIONS.get(message.action)
    if action is None:
        raise malformed(f"action must be one of {', '.join(ACTIONS)}.", ProblemCode.UNKNOWN_ACTION)
    # Without authentication, the message names the user. A name that is not text is reported by its validation.
    named = message.fields.get("userId")
    caller = connection.caller or engine.authenticator.authenticate((), named if isinstance(named, str) else None)
    action(SocketRequest(engine, connection, caller, message.request_id, message.fields))


def _subscription(wanted: OneOrAllModel) -> str:
    return subscription_of(wanted.order_id, wanted.user_id)


def _execute_order(request: SocketRequest) -> None:
    engine = request.engine
    order = {name: value for name, value in request.fields.items() if name != _KEY}
    key = read_key(request.fields.get(_KEY), _KEY)
    spec = read_order(order, request.caller, engine.rules, engine.now())
    failures: list[ConnectionGoneError | PushFailedError] = []

    def acknowledge(order_id: str, replayed: bool) -> None:
        try:
            request.reply("ack", action="execute_order", orderId=order_id, **({"replayed": True} if replayed else {}))
            if not replayed:
                # The socket is subscribed from the write that makes the order, so its stream has no past.
                engine.sockets.push(request.connection.connection_id, live_frame(order_id, 0))
        except (ConnectionGoneError, PushFailedError) as error:
            # The order is accepted whether or not its client is still connected.
            failures.append(error)

    engine.submit(request.caller, spec, idempotency_key=key, subscriber=request.subscriber, acknowledge=acknowledge)
    if failures:
        raise failures[0]


def _subscribe(request: SocketRequest) -> None:
    wanted, limit = read_stream(request.fields, request.engine.now()), request.engine.subscription_limit
    subscription = _subscription(wanted)
    if not limit.has_room(request.connection, subscription):
        raise TooManySubscriptionsError
    try:
        _join(request, wanted)
    except RefusedError:
        limit.remove(request.connection.connection_id, subscription)
        raise


def _join(request: SocketRequest, wanted: StreamModel) -> None:
    subscriptions, subscriber = request.engine.subscriptions, request.subscriber
    if wanted.order_id is not None:
        ack = partial(request.reply, "ack", action="subscribe", orderId=wanted.order_id)
        subscriptions.join_order(request.caller, subscriber, wanted.order_id, wanted.after_seq, acknowledge=ack)
        return
    user_id = wanted.user_id or ""
    user_streams = request.engine.user_streams
    first = user_streams.follow(request.caller, subscriber, user_id, wanted.since)
    request.reply("ack", action="subscribe", userId=user_id)
    if first:
        user_streams.queue_look(first)


def _unsubscribe(request: SocketRequest) -> None:
    wanted = read_left_stream(request.fields)
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
    read_ping(request.fields)
    request.reply("pong", at=to_text(request.engine.now()))


ACTIONS: dict[str, Callable[[SocketRequest], None]] = {
    "execute_order": _execute_order,
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "cancel_order": _cancel_order,
    "ping": _ping,
}
