"""Triggering of open orders when the market reaches their conditions. Prices and launches both come here.

Each look compares the current price with the orders' limits and never with an earlier price. An order in the crossed
range that a look did not trigger, because a worker died or a batch was full, is found again by the next look.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from math import ceil

from chalicelib.codec.times import to_ms
from chalicelib.domain.as_of import AsOf
from chalicelib.domain.conditions import PriceWatch
from chalicelib.domain.depth import Depth
from chalicelib.domain.events import LaunchTriggered, PriceTriggered
from chalicelib.domain.orders import Order
from chalicelib.domain.retry import retrigger_pause
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import Pair, Side
from chalicelib.observability import orders as observe
from chalicelib.observability.context import apart
from chalicelib.ports.orders import LostRaceError, OpenOrderIndex, OrderStore, StoredOrder
from chalicelib.ports.queues import OrderQueue
from chalicelib.routing.best_swap import BestSwap, best_price, best_swap, max_amount
from chalicelib.routing.router import Router
from chalicelib.services.orders.execution_events import swap_request
from chalicelib.services.streams.order_stream import MAX_FIRST_FRAMES_SECONDS, OrderStream
from chalicelib.services.streams.publisher import Publisher
from chalicelib.services.streams.subscriptions import Subscriptions
from chalicelib.threads import side_by_side

log = logging.getLogger(__name__)

#: A missed trigger doubles the pause of an order whose price only touches the limit. A price this far through the
#: limit means that the miss is probably a venue outage, which ends soon: only every sixth miss doubles the pause.
_CLEAR_BPS = 50
_CLEAR_MISSES = 6
_BPS = 10_000

#: Orders that a look judges before it turns to another price: if every price of the registry triggers, each has its
#: turn well within the function's time.
_SLICE = 16

#: An open order, and the event that triggers it.
Trigger = tuple[StoredOrder, PriceTriggered | LaunchTriggered]


@dataclass(frozen=True, slots=True)
class TriggerOrders:
    """``batch`` bounds the orders that a push triggers. Times are in seconds.

    ``executor`` triggers orders in parallel, and ``beside`` pushes their frames.
    """

    orders: OrderStore
    open_order_index: OpenOrderIndex
    router: Router
    queue: OrderQueue
    publisher: Publisher
    subscriptions: Subscriptions
    executor: Executor
    beside: Executor
    now: Callable[[], datetime]
    batch: int
    pending_deadline_seconds: int
    retrigger_base: float
    retrigger_cap: float

    def at_price(self, pair: Pair, as_of: AsOf) -> int:
        """Trigger the limit orders of a pair whose whole size can be filled now at their price or better.

        ``as_of``: prices pushed by then count. One batch a side at most; returns how many orders it triggered.
        """
        depths = self.router.depths(pair, as_of)
        fillable = (self._triggers(self._crossed(pair, side, depths), depths) for side in Side)
        return sum(self.fire(islice(triggers, self.batch)) for triggers in fillable)

    def in_slices(self, watch: PriceWatch) -> Iterator[int]:
        """Trigger all orders that wait for a price and can be filled now, a few at each step of the iterator.

        Each step returns how many orders it triggered. Between two steps a look turns to what other orders wait for.
        """
        crossed = self._crossed(watch.pair, watch.side, self.router.depths(watch.pair))
        while some := list(islice(crossed, _SLICE)):
            yield self.fire(self._triggers(some, self.router.depths(watch.pair)))

    def consider(self, stored: StoredOrder) -> bool:
        """Trigger one limit order if it can be filled now."""
        trigger = self._trigger_of(stored.order, self.router.depths(stored.order.spec.pair, AsOf(to_ms(self.now()))))
        return trigger is not None and self._fire_apart((stored, trigger))

    def fire(self, triggers: Iterable[Trigger]) -> int:
        """Trigger orders in parallel; returns how many it triggered."""
        return sum(side_by_side(self.executor, self._fire_apart, triggers))

    def _crossed(self, pair: Pair, side: Side, depths: Sequence[Depth]) -> Iterator[StoredOrder]:
        """The orders that the best price crosses, without those that are too large for every pool."""
        best = best_price(depths, side)
        if best is None:
            return iter(())
        return self.open_order_index.crossed(pair, side, best, max_amount(depths, side))

    def _triggers(self, crossed: Iterable[StoredOrder], depths: Sequence[Depth]) -> Iterator[Trigger]:
        """The orders that can be filled, with their events."""
        for stored in crossed:
            if trigger := self._trigger_of(stored.order, depths):
                yield stored, trigger

    def _trigger_of(self, order: Order, depths: Sequence[Depth]) -> PriceTriggered | None:
        """The event of a limit order that can be filled now; ``None`` if it cannot be, or pauses after a miss."""
        spec, now = order.spec, self.now()
        if spec.type is not OrderType.LIMIT or order.status is not Status.OPEN or order.is_expired(now):
            return None
        best = best_swap(depths, spec.side, spec.amount_in)
        if best is None or best.amount_out < (spec.limit_min_out or 0):
            return None
        if self._pauses(order, best, now):
            return None
        return PriceTriggered(best.depth.venue, swap_request(order).price_of(best.amount_out))

    def _pauses(self, order: Order, best: BestSwap, now: datetime) -> bool:
        """True if the order missed its last trigger too recently to trigger again."""
        if order.last_missed_at is None:
            return False
        is_clear = best.amount_out * _BPS >= (order.spec.limit_min_out or 0) * (_BPS + _CLEAR_BPS)
        misses = ceil(order.missed_triggers / _CLEAR_MISSES) if is_clear else order.missed_triggers
        pause = retrigger_pause(misses, self.retrigger_base, self.retrigger_cap)
        return (now - order.last_missed_at).total_seconds() < pause

    def _fire_apart(self, trigger: Trigger) -> bool:
        with apart(trigger[0].order):
            return self._fire(trigger)

    def _fire(self, trigger: Trigger) -> bool:
        """The one conditional write by which an order leaves the open status, unless it has left it already."""
        stored, event = trigger
        now, order_id = self.now(), stored.order.order_id
        if stored.order.is_expired(now):
            return False
        try:
            stored = self.subscriptions.ensure_followers(stored)
            after = stored.order.after(event, now)
            deadline_ms = to_ms(now) + self.pending_deadline_seconds * 1000
            triggered = self.orders.write(stored, after, lease=None, deadline_ms=deadline_ms)
        except LostRaceError:
            return False
        except Exception:
            log.exception("not triggered; the next look will retry", extra={"orderId": order_id})
            return False
        observe.triggered(after)
        stream = OrderStream(self.publisher, self.beside)
        try:
            stream.publish(triggered)
            self.queue.send(stream.flush(triggered, MAX_FIRST_FRAMES_SECONDS))
        except Exception:
            log.exception("triggered but not queued; the watchdog will retry", extra={"orderId": order_id})
        finally:
            stream.wait()
        return True
