"""The consumer of the fan-out queue: each message asks for the service of one group of an order's subscribers."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from chalicelib.codec.groups import read_group_message
from chalicelib.consumers.batch import BatchResult, Record, process_batch
from chalicelib.domain.errors import OrderNotFoundError
from chalicelib.engine import Engine
from chalicelib.observability import orders as observe
from chalicelib.ports.fan_out import GroupLeasedError

#: The pause before the next try at a group whose worker may have died.
_LEASED_PAUSE_SECONDS = 5


def fan_out(engine: Engine, event: Mapping[str, Any]) -> BatchResult:
    """The ``fan-out`` queue: push to each group the events that it lacks.

    A round serves all messages of its group that came before it.
    """
    latest = {record["body"]: record for record in sorted(event["Records"], key=_receives)}
    return process_batch({"Records": [*latest.values()]}, partial(_serve, engine), engine.fan_out_queue.hold)


def _receives(record: Record) -> int:
    return int(record["attributes"]["ApproximateReceiveCount"])


def _serve(engine: Engine, record: Record) -> float | None:
    message = read_group_message(record["body"])
    try:
        engine.serve_group(message.order_id, message.number, owner=f"{uuid4().hex}/{record['messageId']}")
    except OrderNotFoundError:
        observe.not_found(message.order_id)
    except GroupLeasedError:
        # The worker that holds the lease has its own message, which the queue delivers again if that worker dies.
        # Such a message waits for the end of the lease; all others are answered by the round that comes.
        if _receives(record) > 1:
            return _LEASED_PAUSE_SECONDS
    return None
