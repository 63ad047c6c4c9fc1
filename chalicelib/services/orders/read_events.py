"""The events of an order, and the wait for the next one.

A wait looks at the order again and again, because no function learns of the writes of another one. API Gateway does
not tell a function that its client has gone, so a wait without a client lasts its time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.events import Event
from chalicelib.domain.identity import Caller
from chalicelib.domain.orders import Order
from chalicelib.ports.orders import OrderStore
from chalicelib.services.limits.wait_limit import LimitWaits
from chalicelib.services.orders.lookup import find_order

#: The pause between two looks grows from the first to the longest by this factor.
_FIRST_PAUSE_SECONDS = 0.2
_MAX_PAUSE_SECONDS = 1.0
_PAUSE_FACTOR = 1.5


@dataclass(frozen=True, slots=True)
class ReadEvents:
    orders: OrderStore
    limit: LimitWaits
    now: Callable[[], datetime]
    sleep: Callable[[float], None]

    def __call__(
        self, caller: Caller, order_id: str, after_seq: int, wait_seconds: int = 0
    ) -> tuple[Order, tuple[Event, ...]]:
        """The order, and its events after ``after_seq``.

        Waits for the first of them, unless the order is terminal or the limit allows no wait at all.

        :raises OrderNotFoundError: if the caller has no such order.
        :raises TooManyWaitsError: if the call would wait, and as many wait as may.
        """
        order = find_order(caller, self.orders, order_id).order
        if wait_seconds and self.limit.most and not _is_answered(order, after_seq):
            with self.limit.counted(caller):
                order = self._wait(caller, order, after_seq, wait_seconds)
        return order, order.events[after_seq:]

    def _wait(self, caller: Caller, order: Order, after_seq: int, seconds: int) -> Order:
        """The order once it has an event after ``after_seq``, is terminal, or the time is up."""
        ends_at, pause = self.now() + timedelta(seconds=seconds), _FIRST_PAUSE_SECONDS
        while not _is_answered(order, after_seq) and (left := (ends_at - self.now()).total_seconds()) > 0:
            self.sleep(min(pause, left))
            order = find_order(caller, self.orders, order.order_id).order
            pause = min(pause * _PAUSE_FACTOR, _MAX_PAUSE_SECONDS)
        return order


def _is_answered(order: Order, after_seq: int) -> bool:
    return order.seq > after_seq or order.is_terminal
