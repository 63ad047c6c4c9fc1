"""Sockets opening and closing, and the streams that were asked for at that moment.

API Gateway refuses a push to a connection whose ``$connect`` has not returned, so what a client asks for in the
address is only queued here and brought by ``bring_streams``.
"""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from chalicelib.api.frames import reply_frame
from chalicelib.api.problems import ProblemError, problem_of
from chalicelib.api.requests.streams import read_stream
from chalicelib.bootstrap import Engine, now_ms
from chalicelib.codec.messages import read_replay_message
from chalicelib.consumers.batch import Record, work_through
from chalicelib.consumers.orders import BatchResult
from chalicelib.domain.errors import RefusedError
from chalicelib.ports.streams import Connection, ConnectionGoneError, Replay, Subscriber
from chalicelib.services.orders.lookup import find_order
from chalicelib.services.streams.subscriptions import FOLLOWERS

log = logging.getLogger(__name__)

_STREAM_PARAMETERS = ("orderId", "userId", "afterSeq")
#: A connection that is not there yet is asked for again this often, and this long after.
_CONNECT_TRIES = 5
_CONNECT_PAUSE_SECONDS = 1


def connect(engine: Engine, event: Mapping[str, Any]) -> dict[str, int]:
    """``$connect``: note the connection, queue the stream it asked for."""
    connection_id = event["requestContext"]["connectionId"]
    query: Mapping[str, str] = event.get("queryStringParameters") or {}
    coarse = query.get("statuses") == "coarse"
    expires_at = now_ms() // 1000 + engine.settings.connection_hours * 3600
    engine.adapters.streams.connect(Connection(connection_id, coarse, expires_at))
    wanted = {name: query[name] for name in _STREAM_PARAMETERS if name in query}
    if wanted.keys() - {"afterSeq"}:
        engine.adapters.replays.send([Replay(connection_id, wanted, coarse)])
    log.info("connected", extra={"connectionId": connection_id, **wanted})
    return {"statusCode": 200}


def disconnect(engine: Engine, event: Mapping[str, Any]) -> None:
    """``$disconnect``: forget the connection. Orders forget it when the next push finds it gone."""
    connection_id = event["requestContext"]["connectionId"]
    engine.adapters.streams.disconnect(connection_id)
    log.info("disconnected", extra={"connectionId": connection_id})


def bring_streams(engine: Engine, event: Mapping[str, Any]) -> BatchResult:
    """The ``stream`` queue: bring streams to connections that could not be served on the spot."""
    return work_through(event, partial(_bring, engine), engine.adapters.replays.hold)


def _bring(engine: Engine, record: Record) -> float | None:
    replay = read_replay_message(record["body"])
    log.info("bringing a stream", extra={"connectionId": replay.connection_id, "wanted": replay.wanted})
    subscriber = Subscriber(replay.connection_id, replay.coarse, replay.via_user)
    subscriptions = engine.subscriptions
    try:
        wanted = read_stream(replay.wanted)
        if replay.connection_id == FOLLOWERS:
            subscriptions.tell_followers(find_order(engine.adapters.orders, wanted.order_id or ""))
            return None
        if wanted.user_id is None:
            there = subscriptions.join_order(subscriber, wanted.order_id or "", wanted.after_seq, tries=replay.tries)
        else:
            following = replay.look or subscriptions.follow_user(subscriber, wanted.user_id)
            there = bool(following) and subscriptions.look(subscriber, wanted.user_id, replay.look)
    except (RefusedError, ProblemError) as error:
        there = _tell(engine, replay, error)
    early = int(record["attributes"]["ApproximateReceiveCount"]) < _CONNECT_TRIES
    if there or not early or engine.adapters.streams.connection(replay.connection_id) is None:
        return None
    return _CONNECT_PAUSE_SECONDS


def _tell(engine: Engine, replay: Replay, error: Exception) -> bool:
    try:
        frame = reply_frame("error", **problem_of(error).as_fields())
        engine.adapters.sockets.push(replay.connection_id, frame)
    except ConnectionGoneError:
        return False
    return True
