"""Opening and closing of sockets."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.api.codes import ProblemCode
from chalicelib.api.problems import ProblemError, problem_of
from chalicelib.api.requests.streams import read_handshake
from chalicelib.codec.secret_text import without_credential
from chalicelib.engine import Engine
from chalicelib.observability import streams as observe
from chalicelib.outages import UNAVAILABLE
from chalicelib.streaming.entries import entry_of
from chalicelib.streaming.handshakes import caller_of_handshake

_STREAM_PARAMETERS = ("orderId", "userId", "afterSeq", "since", "statuses")
#: The protocol of the frames. A browser closes a socket whose server accepts none of the protocols that it offers.
SUBPROTOCOL = "orders.v1"


def connect(engine: Engine, event: Mapping[str, Any]) -> dict[str, Any]:
    """``$connect``: store the connection, and queue the stream that its address asks for.

    The socket opens with a wrong query too: the replay queue brings the error, as it brings the stream. A handshake
    whose caller may not open a socket gets the status of the refusal.
    """
    with entry_of(event):
        try:
            return _connect(engine, event)
        except Exception as error:
            problem = problem_of(error, UNAVAILABLE)
            if problem.code is ProblemCode.INTERNAL_ERROR:
                raise
            observe.handshake_refused(problem.code)
            return {"statusCode": problem.status}


def _connect(engine: Engine, event: Mapping[str, Any]) -> dict[str, Any]:
    connection_id = event["requestContext"]["connectionId"]
    query = _query_of(event)
    coarse = query.get("statuses") == ["coarse"]
    wanted = query if _wants_an_answer(query, engine.now()) else {}
    engine.connections.open(caller_of_handshake(engine, event), connection_id, coarse=coarse, wanted=wanted)
    observe.connected(wanted)
    return {"statusCode": 200, **_subprotocol(event)}


def _query_of(event: Mapping[str, Any]) -> dict[str, list[str]]:
    """The query with all values of each parameter.

    A token, also one under an unknown name or in place of one, must reach no log and no queue.
    """
    query: Mapping[str, list[str]] = event.get("multiValueQueryStringParameters") or {}
    return {
        without_credential(name): list(map(without_credential, values))
        if name in _STREAM_PARAMETERS
        else [""] * len(values)
        for name, values in query.items()
    }


def _wants_an_answer(query: Mapping[str, Sequence[str]], now: datetime) -> bool:
    """True if the query asks for a stream, or has an error that the client must learn."""
    try:
        return read_handshake(query, now).asks_for_stream
    except ProblemError:
        return True


def _subprotocol(event: Mapping[str, Any]) -> dict[str, Any]:
    """The header by which the handshake's response accepts the subprotocol, if the client offers it."""
    headers: Mapping[str, str] = event.get("headers") or {}
    offers = ",".join(value for name, value in headers.items() if name.lower() == "sec-websocket-protocol")
    offered = [protocol.strip() for protocol in offers.split(",")]
    return {"headers": {"Sec-WebSocket-Protocol": SUBPROTOCOL}} if SUBPROTOCOL in offered else {}


def disconnect(engine: Engine, event: Mapping[str, Any]) -> None:
    """``$disconnect``: forget the connection."""
    with entry_of(event):
        engine.connections.close(event["requestContext"]["connectionId"])
        observe.disconnected()
