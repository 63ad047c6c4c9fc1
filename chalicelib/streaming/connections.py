"""Opening and closing of sockets."""

import logging
from collections.abc import Mapping
from typing import Any

from chalicelib.auth import caller_of_connection
from chalicelib.engine import Engine

log = logging.getLogger(__name__)

_STREAM_PARAMETERS = ("orderId", "userId", "afterSeq")


def connect(engine: Engine, event: Mapping[str, Any]) -> dict[str, int]:
    """``$connect``: store the connection, and queue the stream that its address asks for."""
    connection_id = event["requestContext"]["connectionId"]
    query: Mapping[str, str] = event.get("queryStringParameters") or {}
    wanted = {name: query[name] for name in _STREAM_PARAMETERS if name in query}
    # A position alone asks for no stream.
    if wanted.keys() == {"afterSeq"}:
        wanted = {}
    coarse = query.get("statuses") == "coarse"
    engine.connections.open(caller_of_connection(connection_id), connection_id, coarse=coarse, wanted=wanted)
    log.info("connected", extra={"connectionId": connection_id, **wanted})
    return {"statusCode": 200}


def disconnect(engine: Engine, event: Mapping[str, Any]) -> None:
    """``$disconnect``: forget the connection."""
    connection_id = event["requestContext"]["connectionId"]
    engine.connections.close(connection_id)
    log.info("disconnected", extra={"connectionId": connection_id})
