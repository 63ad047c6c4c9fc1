"""The work after a terminal status: push the last frames and record the history. Repeating it is safe."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.orders import Order
from chalicelib.observability import orders as observe
from chalicelib.ports.history import History, HistoryUnavailableError
from chalicelib.ports.orders import OrderStore, StoredOrder
from chalicelib.services.streams.order_stream import OrderStream
from chalicelib.services.streams.publisher import Publisher

#: The longest pause before the next try to record an order. Thousands of orders may wait for Postgres.
_MAX_PAUSE_MS = 60_000


@dataclass(frozen=True, slots=True)
class FinalizeOrder:
    orders: OrderStore
    publisher: Publisher
    history: History
    executor: Executor
    now: Callable[[], datetime]
    deadline_grace_seconds: int

    def __call__(self, stored: StoredOrder, stream: OrderStream | None = None) -> None:
        """Publish the order's last events, and record the order meanwhile.

        ``stream`` publishes the earlier events of the order, if this process moved it. Without Postgres, or without
        a queue for the frames, a deadline makes the watchdog repeat this.
        """
        stream = stream or OrderStream(self.publisher, self.executor)
        stream.publish(stored)
        try:
            self._record(stored, stream)
        finally:
            # No push may go on after the invocation.
            stream.wait()

    def _record(self, stored: StoredOrder, stream: OrderStream) -> None:
        order = stored.order
        try:
            self.history.record(order)
        except HistoryUnavailableError:
            observe.history_failed(order)
            self.orders.set_deadline(stream.flush(stored), self._retry_ms(order))
            return
        stored = stream.flush(stored)
        if stored.published < order.seq:
            # No later event will carry the unpublished ones along.
            self.orders.set_deadline(stored, self.due_ms())
        elif stored.deadline_ms is not None:
            self.orders.set_deadline(stored, None)

    def _retry_ms(self, order: Order) -> int:
        """The deadline of an order without history. Each try doubles the time since the order's end."""
        now_ms = to_ms(self.now())
        age_ms = now_ms - to_ms(order.events[-1].at)
        return max(self.due_ms(), now_ms + min(age_ms, _MAX_PAUSE_MS))

    def due_ms(self) -> int:
        """The deadline of a terminal order, by which this work should be done."""
        return to_ms(self.now()) + self.deadline_grace_seconds * 1000
