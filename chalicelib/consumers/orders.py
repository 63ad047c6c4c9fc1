"""The consumers of the orders queue and of the dead-letter queue."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

from chalicelib.codec.messages import PoisonMessageError, read_order_message
from chalicelib.consumers.batch import BatchResult, Record, process_batch, process_record, try_hold
from chalicelib.domain.errors import OrderNotFoundError
from chalicelib.engine import Engine
from chalicelib.observability import operations as observe
from chalicelib.observability.context import concerns
from chalicelib.ports.orders import StoredOrder


def process_orders(engine: Engine, event: Mapping[str, Any]) -> BatchResult:
    """The ``orders`` queue: execute each order, as a lease owner that no other invocation shares."""
    return process_batch(event, _Invocation(engine).handle, engine.order_queue.hold)


class _Invocation:
    """An invocation of the processor."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._id = uuid4().hex
        self._results: dict[str, float | None] = {}

    def handle(self, record: Record) -> float | None:
        message = _order_of(record)
        first = self._engine.priority_lane.take_before(message.order.spec, _waited_ms(record), _receives(record))
        if first:
            self._process_first(first)
            if self._results and message.order.order_id not in self._results:
                # An invocation executes one order: two would double its time, and the time to recover from its death.
                return 0
        return self._execute(record, message, partial(try_hold, self._engine.order_queue.hold, record))

    def _process_first(self, first: Record) -> None:
        """Execute a high-priority order; the message in turn goes back to its queue."""
        lane = self._engine.priority_lane

        def handle(record: Record) -> float | None:
            # The lane has just hidden the message for as long as ``execute`` asks for.
            return self._execute(record, _order_of(record), lambda seconds: None)

        if process_record(first, handle, lane.hold):
            lane.delete(first)

    def _execute(self, record: Record, message: StoredOrder, hold: Callable[[int], None]) -> float | None:
        concerns(message.order)
        order_id = message.order.order_id
        # The two messages of a high-priority order may be in this batch.
        if order_id not in self._results:
            owner = f"{self._id}/{record['messageId']}"
            self._results[order_id] = self._engine.execute(message, owner, hold)
        return self._results[order_id]


def close_dead_letters(engine: Engine, event: Mapping[str, Any]) -> BatchResult:
    """The ``dead-letters`` queue: close the orders whose messages the orders queue moved there.

    A letter that closes no order moves to the unprocessable queue for an operator. (A redrive policy cannot do that:
    a letter may keep its receive count, and would exceed any limit before it is read.)
    """
    queue = engine.dead_letter_queue

    def handle(record: Record) -> float | None:
        try:
            message = read_order_message(record["body"])
            concerns(message.order)
            return engine.close_dead_letter(message)
        except (PoisonMessageError, OrderNotFoundError):
            observe.letter_kept()
            queue.keep(record["body"])
            return None

    return process_batch(event, handle, queue.hold)


def _order_of(record: Record) -> StoredOrder:
    """The order of a message. Only the first delivery tells the order's reservation: after it the rate limiter may
    store another one on the order, without a new event.

    :raises PoisonMessageError: if the body is not an order message.
    """
    message = read_order_message(record["body"])
    return message if _receives(record) == 1 else replace(message, reservation=None)


def _receives(record: Record) -> int:
    """How many times the queue has delivered the message, with this delivery."""
    return int(record["attributes"]["ApproximateReceiveCount"])


def _waited_ms(record: Record) -> int:
    """How long the message waited in its queue."""
    attributes = record["attributes"]
    return int(attributes["ApproximateFirstReceiveTimestamp"]) - int(attributes["SentTimestamp"])
