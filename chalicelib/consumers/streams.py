"""The consumer of the replay queue: streams for connections that no function could serve on the spot."""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from chalicelib.api.frames import error_frame
from chalicelib.api.problems import ProblemError, problem_of
from chalicelib.api.requests.streams import read_handshake
from chalicelib.codec.replays import read_replay_message
from chalicelib.consumers.batch import BatchResult, Record, process_batch
from chalicelib.domain.errors import OrderNotFoundError, RefusedError
from chalicelib.engine import Engine
from chalicelib.ports.streams import (
    CheckSocket,
    CloseSockets,
    ConnectionGoneError,
    FollowUser,
    NotifyFollowers,
    OpenStream,
    RetrySocket,
    Subscriber,
)

log = logging.getLogger(__name__)

#: The queue delivers a replay again whose connection accepts no pushes yet.
_CONNECT_TRIES = 5
_CONNECT_PAUSE_SECONDS = 1


def replay_streams(engine: Engine, event: Mapping[str, Any]) -> BatchResult:
    """The ``replay`` queue: bring streams up to date, and close sockets whose credential has ended."""
    return process_batch(event, partial(_replay, engine), engine.replay_queue.hold)


def _replay(engine: Engine, record: Record) -> float | None:
    match read_replay_message(record["body"]):
        case NotifyFollowers() as notification:
            log.info("subscribing the followers of an order", extra={"orderId": notification.order_id})
            _notify(engine, notification)
        case CheckSocket() as check:
            log.info("checking a socket", extra={"connectionId": check.connection_id})
            engine.ended_credentials.check(check)
        case CloseSockets() as revoked:
            engine.ended_credentials.close_sockets(revoked)
        case replay:
            return _replay_stream(engine, record, replay)
    return None


def _replay_stream(engine: Engine, record: Record, replay: OpenStream | FollowUser | RetrySocket) -> float | None:
    connection_id = _connection_of(replay)
    log.info("replaying a stream", extra={"connectionId": connection_id, "kind": type(replay).__name__})
    try:
        is_reached = _push(engine, replay)
    except (RefusedError, ProblemError) as error:
        is_reached = _push_error(engine, connection_id, error)
    is_early = int(record["attributes"]["ApproximateReceiveCount"]) < _CONNECT_TRIES
    if is_reached or not is_early or engine.connections.find(connection_id) is None:
        return None
    return _CONNECT_PAUSE_SECONDS


def _push(engine: Engine, replay: OpenStream | FollowUser | RetrySocket) -> bool:
    """Bring one stream up to date. False if the connection is gone, or not there yet."""
    subscriptions = engine.subscriptions
    match replay:
        case RetrySocket(subscriber=subscriber, order_id=order_id, after_seq=after_seq, tries=tries):
            return subscriptions.rejoin_order(subscriber, order_id, after_seq, tries)
        case FollowUser():
            return engine.user_streams.look(replay)
        case OpenStream(connection_id=connection_id, query=query, coarse=coarse, caller=known):
            lists = {name: [values] if isinstance(values, str) else values for name, values in query.items()}
            wanted, subscriber = read_handshake(lists), Subscriber(connection_id, coarse)
            caller = known or engine.authenticator.authenticate(())
            if wanted.user_id is None:
                return engine.opening.subscriptions.join_order(
                    caller, subscriber, wanted.order_id or "", wanted.after_seq
                )
            is_open = engine.opening.user_streams.follow(caller, subscriber, wanted.user_id)
            return is_open and engine.opening.user_streams.first_look(subscriber, wanted.user_id)


def _notify(engine: Engine, replay: NotifyFollowers) -> None:
    try:
        engine.subscriptions.subscribe_followers(replay.order_id)
    except OrderNotFoundError:
        log.warning("order not found", extra={"orderId": replay.order_id})


def _push_error(engine: Engine, connection_id: str, error: Exception) -> bool:
    try:
        engine.opening.sockets.push(connection_id, error_frame(problem_of(error)))
    except ConnectionGoneError:
        return False
    return True


def _connection_of(replay: OpenStream | FollowUser | RetrySocket) -> str:
    match replay:
        case OpenStream(connection_id=connection_id):
            return connection_id
        case FollowUser(subscriber=subscriber) | RetrySocket(subscriber=subscriber):
            return subscriber.connection_id
