"""The consumer of the replay queue: streams for connections that no function could serve on the spot."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from chalicelib.api.frames import error_frame
from chalicelib.api.problems import ProblemError, problem_of
from chalicelib.api.requests.streams import read_handshake
from chalicelib.codec.replays import read_replay_message
from chalicelib.codec.times import to_ms
from chalicelib.consumers.batch import BatchResult, Record, failure_pause_seconds, process_batch
from chalicelib.domain.errors import OrderNotFoundError, RefusedError
from chalicelib.engine import Engine
from chalicelib.observability import orders
from chalicelib.observability import streams as observe
from chalicelib.ports.streams import (
    CheckSocket,
    CloseSockets,
    ConnectionGoneError,
    FollowUser,
    NotifyFollowers,
    OpenStream,
    PushFailedError,
    RetrySocket,
    Subscriber,
)
from chalicelib.services.streams.dropped_sockets import Lag

#: The queue delivers a replay again whose connection accepts no pushes yet. Then the engine closes the connection.
_CONNECT_TRIES = 5
_CONNECT_PAUSE_SECONDS = 1


def replay_streams(engine: Engine, event: Mapping[str, Any]) -> BatchResult:
    """The ``replay`` queue: bring streams up to date, and close sockets whose credential has ended."""
    return process_batch(event, partial(_replay, engine), engine.replay_queue.hold)


def _replay(engine: Engine, record: Record) -> float | None:
    match read_replay_message(record["body"]):
        case NotifyFollowers() as notification:
            _notify(engine, notification)
            observe.followers_subscribed()
        case CheckSocket() as check:
            engine.ended_credentials.check(check)
            observe.socket_checked(check.connection_id)
        case CloseSockets() as revoked:
            engine.ended_credentials.close_sockets(revoked)
        case replay:
            return _replay_stream(engine, record, replay)
    return None


def _replay_stream(engine: Engine, record: Record, replay: OpenStream | FollowUser | RetrySocket) -> float | None:
    connection_id = _connection_of(replay)
    receives, lag = int(record["attributes"]["ApproximateReceiveCount"]), _lag_of(replay, record)
    if not lag.allows(to_ms(engine.now())):
        # Workers that were killed, or failures, have taken the time.
        engine.connections.end_slow(connection_id)
        return None
    try:
        is_reached = _push(engine, replay)
        observe.stream_replayed(type(replay).__name__, connection_id)
    except (RefusedError, ProblemError) as error:
        is_reached = _push_error(engine, connection_id, error)
    except Exception:
        if not lag.allows(to_ms(engine.now()) + failure_pause_seconds(receives) * 1000):
            engine.connections.end_slow(connection_id)
        raise
    if is_reached or engine.connections.find(connection_id) is None:
        return None
    if receives >= _CONNECT_TRIES:
        engine.connections.end_slow(connection_id)
        return None
    return _CONNECT_PAUSE_SECONDS


def _push(engine: Engine, replay: OpenStream | FollowUser | RetrySocket) -> bool:
    """Bring one stream up to date. False if the connection is gone, or not there yet."""
    match replay:
        case RetrySocket():
            return engine.subscriptions.rejoin_order(replay)
        case FollowUser():
            return engine.user_streams.looks.look(replay)
        case OpenStream():
            return _open(engine, replay)


def _open(engine: Engine, replay: OpenStream) -> bool:
    """Bring the stream that a handshake asks for. False if the connection is gone, or not there yet."""
    opening, caller = engine.opening, replay.caller or engine.authenticator.authenticate(())
    lists = {name: [values] if isinstance(values, str) else values for name, values in replay.query.items()}
    wanted, subscriber = read_handshake(lists, engine.now()), Subscriber(replay.connection_id, replay.coarse)
    if wanted.user_id is None:
        return opening.subscriptions.join_order(caller, subscriber, wanted.order_id or "", wanted.after_seq)
    first = opening.user_streams.follow(caller, subscriber, wanted.user_id, wanted.since, replay.opened_at_ms)
    return first is not None and opening.user_streams.looks.look(first)


def _notify(engine: Engine, replay: NotifyFollowers) -> None:
    try:
        engine.subscriptions.subscribe_followers(replay.order_id)
    except OrderNotFoundError:
        orders.not_found(replay.order_id)


def _push_error(engine: Engine, connection_id: str, error: Exception) -> bool:
    try:
        engine.opening.sockets.push(connection_id, error_frame(problem_of(error)))
    except ConnectionGoneError:
        return False
    except PushFailedError:
        # The client opens another socket, and learns it there.
        engine.connections.end_slow(connection_id)
    return True


def _lag_of(replay: OpenStream | FollowUser | RetrySocket, record: Record) -> Lag:
    """How long the socket lacks the frames of a message.

    A client knows that a stream which begins is not live yet, so only failures count. Retries of earlier versions do
    not say since when their sockets are late.
    """
    if isinstance(replay, RetrySocket):
        return Lag(since_ms=replay.late_since_ms)
    return Lag(since_ms=int(record["attributes"]["ApproximateFirstReceiveTimestamp"]))


def _connection_of(replay: OpenStream | FollowUser | RetrySocket) -> str:
    match replay:
        case OpenStream(connection_id=connection_id):
            return connection_id
        case FollowUser(subscriber=subscriber) | RetrySocket(subscriber=subscriber):
            return subscriber.connection_id
