"""What a client may say on a socket. Answers are pushed; an error leaves the socket open."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from chalicelib.api.frames import reply_frame
from chalicelib.api.problems import malformed, problem_of, too_large
from chalicelib.api.records import cancellation_of, cancellations_of
from chalicelib.api.requests.orders import read_order
from chalicelib.api.requests.streams import read_cancel, read_stream
from chalicelib.bootstrap import UNAVAILABLE, Engine, utc_now
from chalicelib.codec.exact_json import loads
from chalicelib.codec.times import to_text
from chalicelib.ports.streams import ConnectionGoneError, PushFailedError, Replay, Subscriber

log = logging.getLogger(__name__)

#: A request id is echoed; longer ones are not ours to carry.
_MAX_REQUEST_ID = 128


@dataclass(frozen=True, slots=True)
class SocketRequest:
    """One message: who said it, under which request id, and its fields."""

    engine: Engine
    subscriber: Subscriber
    request_id: str | int | None
    fields: Mapping[str, Any]

    def reply(self, kind: str, **fields: Any) -> None:
        frame = reply_frame(kind, self.request_id, **fields)
        self.engine.adapters.sockets.push(self.subscriber.connection_id, frame)


def message(engine: Engine, event: Mapping[str, Any]) -> None:
    """``$default``: do what was said and answer, or say what is wrong with it."""
    connection_id = event["requestContext"]["connectionId"]
    request_id: str | int | None = None
    try:
        try:
            said = _parse(engine, event.get("body") or "")
            request_id = _request_id(said)
            action = _ACTIONS.get(str(said.pop("action", "")))
            if action is None:
                raise malformed(f"action must be one of {', '.join(_ACTIONS)}.", "UNKNOWN_ACTION")
            connection = engine.adapters.streams.connection(connection_id)
            subscriber = Subscriber(connection_id, coarse=bool(connection and connection.coarse))
            action(SocketRequest(engine, subscriber, request_id, said))
        except (ConnectionGoneError, PushFailedError):
            raise
        except Exception as error:
            problem = problem_of(error, UNAVAILABLE)
            log.info("refused", extra={"connectionId": connection_id, "code": problem.code})
            frame = reply_frame("error", request_id, **problem.as_fields())
            engine.adapters.sockets.push(connection_id, frame)
    except (ConnectionGoneError, PushFailedError):
        log.info("nobody to answer", extra={"connectionId": connection_id})


def _parse(engine: Engine, body: str) -> dict[str, Any]:
    if len(body.encode(errors="surrogatepass")) > engine.settings.max_body_bytes:
        raise too_large(engine.settings.max_body_bytes)
    try:
        said = loads(body)
    except ValueError:
        raise malformed("A message must be JSON.", "MALFORMED_JSON") from None
    if not isinstance(said, dict):
        raise malformed("A message must be a JSON object.", "MALFORMED_JSON")
    return said


def _request_id(said: dict[str, Any]) -> str | int | None:
    request_id = said.pop("requestId", None)
    if request_id is None or (isinstance(request_id, int) and not isinstance(request_id, bool)):
        return request_id
    if isinstance(request_id, str) and len(request_id) <= _MAX_REQUEST_ID and request_id.isprintable():
        return request_id
    raise malformed(f"requestId must be a string of at most {_MAX_REQUEST_ID} characters or an integer.")


def _execute_order(said: SocketRequest) -> None:
    spec = read_order(said.fields, simulation=said.engine.settings.simulation, now=utc_now())

    def acknowledge(order_id: str) -> None:
        try:
            said.reply("ack", action="execute_order", orderId=order_id)
        except (ConnectionGoneError, PushFailedError):
            # The order is accepted whether or not its sender is still there.
            log.info("nobody to acknowledge to", extra={"orderId": order_id})

    said.engine.submit(spec, subscriber=said.subscriber, acknowledge=acknowledge)


def _subscribe(said: SocketRequest) -> None:
    wanted = read_stream(said.fields)
    subscriptions = said.engine.subscriptions
    if wanted.order_id is not None:
        ack = partial(said.reply, "ack", action="subscribe", orderId=wanted.order_id)
        subscriptions.join_order(said.subscriber, wanted.order_id, wanted.after_seq, acknowledge=ack)
        return
    user_id = wanted.user_id or ""
    subscriptions.follow_user(said.subscriber, user_id)
    said.reply("ack", action="subscribe", userId=user_id)
    # A user may have many orders, and the next message waits for this one.
    look = Replay(said.subscriber.connection_id, {"userId": user_id}, said.subscriber.coarse, look=1)
    said.engine.adapters.replays.send([look])


def _unsubscribe(said: SocketRequest) -> None:
    wanted = read_stream(said.fields)
    subscriptions = said.engine.subscriptions
    if wanted.order_id is not None:
        subscriptions.leave_order(said.subscriber, wanted.order_id)
        said.reply("ack", action="unsubscribe", orderId=wanted.order_id)
    else:
        subscriptions.unfollow_user(said.subscriber, wanted.user_id or "")
        said.reply("ack", action="unsubscribe", userId=wanted.user_id)


def _cancel_order(said: SocketRequest) -> None:
    wanted, cancel = read_cancel(said.fields), said.engine.cancel
    if wanted.order_id is not None:
        said.reply("ack", action="cancel_order", **cancellation_of(cancel(wanted.order_id)))
    else:
        user_id = wanted.user_id or ""
        said.reply("ack", action="cancel_order", userId=user_id, **cancellations_of(*cancel.all_of(user_id)))


def _ping(said: SocketRequest) -> None:
    said.reply("pong", at=to_text(utc_now()))


_ACTIONS: dict[str, Callable[[SocketRequest], None]] = {
    "execute_order": _execute_order,
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "cancel_order": _cancel_order,
    "ping": _ping,
}
