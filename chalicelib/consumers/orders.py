"""What each queue's messages are for."""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from chalicelib.bootstrap import Engine
from chalicelib.consumers.batch import Record, hold_quietly, work_through
from chalicelib.messaging.messages import PoisonMessageError, read_order_message

log = logging.getLogger(__name__)

BatchResult = dict[str, list[dict[str, str]]]


def process_orders(engine: Engine, event: Mapping[str, Any]) -> BatchResult:
    """The ``orders`` queue: execute each order, as a lease owner that no other invocation shares."""
    hold = engine.outside.queue.hold
    invocation = uuid4().hex

    def handle(record: Record) -> float | None:
        message = read_order_message(record["body"])
        owner = f"{invocation}/{record['messageId']}"
        return engine.execute(message, owner, partial(hold_quietly, hold, record))

    return work_through(event, handle, hold)


def close_dead_letters(engine: Engine, event: Mapping[str, Any]) -> BatchResult:
    """The ``dead-letters`` queue: close what the queue has given up on."""

    def handle(record: Record) -> float | None:
        try:
            return engine.close(read_order_message(record["body"]))
        except PoisonMessageError:
            # There is no order to close; whoever sent this reads it here.
            log.exception("poison dead letter", extra={"messageId": record["messageId"], "body": record["body"]})
            return None

    return work_through(event, handle, engine.outside.dead_letters.hold)
