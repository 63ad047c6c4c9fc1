"""The final records of orders."""

from collections.abc import Callable, Sequence
from functools import partial

from orderengine import errors
from orderengine.core import calls
from orderengine.core.commands import Command, Deliver, Flow
from orderengine.core.session import Session
from orderengine.core.streams.deadlines import Deadline, TimeIsOver
from orderengine.core.streams.several import SeveralSource
from orderengine.core.streams.stream import Stream
from orderengine.core.streams.watch import OrderSource
from orderengine.models.orders import Order

#: The most subscriptions that the engine lets one socket make.
MAX_SUBSCRIPTIONS = 50
#: A call that may last hours does not end because a few connections break: its time bounds these repeats.
_MIN_RETRIES = 20


def result(session: Session, order_id: str, timeout: float | None = None) -> Flow[Order]:
    """The record of an order once it is terminal.

    :raises DeadlineExceeded: after ``timeout`` seconds.
    """
    deadline = Deadline(timeout)
    try:
        yield from without_deliveries(Stream(OrderSource(session, deadline, order_id)).flow())
    except errors.EventMissing:
        # The record may be terminal all the same.
        record = yield from _record(session, order_id, deadline)
        if not record.is_terminal:
            raise
        return record
    return (yield from _record(session, order_id, deadline))


def gather(session: Session, order_ids: Sequence[str], timeout: float | None = None) -> Flow[list[Order]]:
    """The records of orders in the sequence asked for, once all are terminal.

    One socket watches the orders that are not terminal, in groups of as many as a socket may. To watch one group
    after the other takes no longer, because the call ends with the last order anyway.

    :raises DeadlineExceeded: after ``timeout`` seconds.
    """
    deadline = Deadline(timeout)
    yield from deadline.begin()
    records: dict[str, Order] = {}
    for order_id in dict.fromkeys(order_ids):
        records[order_id] = yield from _record(session, order_id, deadline)
    waiting = [one for one, record in records.items() if not record.is_terminal]
    for begin in range(0, len(waiting), MAX_SUBSCRIPTIONS):
        group = waiting[begin : begin + MAX_SUBSCRIPTIONS]
        source = SeveralSource(session, deadline, {records[one].id: records[one].seq for one in group})
        yield from without_deliveries(Stream(source).flow())
        for order_id in group:
            records[order_id] = yield from _record(session, order_id, deadline)
    return [records[one] for one in order_ids]


def _record(session: Session, order_id: str, deadline: Deadline) -> Flow[Order]:
    try:
        return (yield from deadline.call(session, partial(_order, order_id), _MIN_RETRIES))
    except TimeIsOver:
        raise deadline.exceeded(f"order {order_id}, which goes on") from None


def _order(order_id: str, session: Session) -> Flow[Order]:
    return calls.order(session, order_id)


def without_deliveries(flow: Flow[None]) -> Flow[None]:
    """Run a stream for its end alone. What is thrown in here, also at the close, reaches the stream."""
    step: Callable[[], Command] = partial(next, flow)
    while True:
        try:
            command = step()
        except StopIteration:
            return
        try:
            answer = None if isinstance(command, Deliver) else (yield command)
            step = partial(flow.send, answer)
        except BaseException as error:
            step = partial(flow.throw, error)
