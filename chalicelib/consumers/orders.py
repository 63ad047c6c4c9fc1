"""What each queue's messages are for."""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from chalicelib.bootstrap import Engine
from chalicelib.codec.messages import PoisonMessageError, read_order_message
from chalicelib.consumers.batch import Hold, Record, try_hold, work_through
from chalicelib.domain.orders import Priority
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.queues import HighPriorityQueue

log = logging.getLogger(__name__)

BatchResult = dict[str, list[dict[str, str]]]

#: A message that waited so long in the queue stood in line.
_IN_LINE_MS = 1000


def process_orders(engine: Engine, event: Mapping[str, Any]) -> BatchResult:
    """The ``orders`` queue: execute each order, as a lease owner that no other invocation shares.

    a high-priority order has a second message in the ``high_priority`` queue. Where orders stand in line that one is looked for
    and worked on first, so that a high-priority order is taken up as soon as anybody is free.
    """
    queue, high_priority = engine.adapters.queue, engine.adapters.high_priority
    invocation = uuid4().hex
    worked_on: dict[str, float | None] = {}

    def execute(hold: Hold, record: Record, message: StoredOrder | None = None) -> float | None:
        message = message or read_order_message(record["body"])
        order_id = message.order.order_id
        # The two messages of a high-priority order may both be here.
        if order_id not in worked_on:
            owner = f"{invocation}/{record['messageId']}"
            worked_on[order_id] = engine.execute(message, owner, partial(try_hold, hold, record))
        return worked_on[order_id]

    def handle(record: Record) -> float | None:
        message = read_order_message(record["body"])
        urgent_first = message.order.spec.priority is Priority.HIGH or _stood_in_line(record)
        if urgent_first and (copy := _take(high_priority)):
            try_hold(queue.hold, record, 2 * engine.settings.lease_seconds)
            failed = work_through({"Records": [copy]}, partial(execute, high_priority.hold), high_priority.hold)
            if not failed["batchItemFailures"]:
                _delete(high_priority, copy)
        return execute(queue.hold, record, message)

    return work_through(event, handle, queue.hold)


def _stood_in_line(record: Record) -> bool:
    attributes = record["attributes"]
    return int(attributes["ApproximateFirstReceiveTimestamp"]) - int(attributes["SentTimestamp"]) > _IN_LINE_MS


def _take(high_priority: HighPriorityQueue) -> Record | None:
    try:
        return high_priority.take()
    except Exception:
        # The order has a message in the orders queue too, and the one in hand need not wait for this.
        log.exception("not looked for high-priority orders")
        return None


def _delete(high_priority: HighPriorityQueue, copy: Record) -> None:
    try:
        high_priority.delete(copy["receiptHandle"])
    except Exception:
        # It comes again, and finds the order over.
        log.exception("a high-priority copy is left", extra={"messageId": copy["messageId"]})


def close_dead_letters(engine: Engine, event: Mapping[str, Any]) -> BatchResult:
    """The ``dead-letters`` queue: close what the queue has given up on.

    A letter that no order can be closed by is kept, so that somebody can look at it. (Not by a redrive of its own: a
    letter may bring its receive count along, and would be past any limit before it is read.)
    """
    letters = engine.adapters.dead_letters

    def handle(record: Record) -> float | None:
        try:
            return engine.close(read_order_message(record["body"]))
        except PoisonMessageError:
            log.exception("a letter to be kept", extra={"messageId": record["messageId"]})
            letters.keep(record["body"])
            return None

    return work_through(event, handle, letters.hold)
