"""Releasing orders that waited, when the market is where they want it. Prices and launches both come here.

Prices are looked at anew each time and never compared with the time before: an order in the crossed range that was
not released, because a worker died or a batch was full, is found there again by whoever looks next.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from math import ceil
from typing import Any

from chalicelib.codec.times import to_ms
from chalicelib.domain.depth import Depth
from chalicelib.domain.orders import Order
from chalicelib.domain.retry import retrigger_pause
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import Pair, Side
from chalicelib.ports.orders import LostRaceError, OpenOrderIndex, OrderStore, StoredOrder
from chalicelib.ports.queues import OrderQueue
from chalicelib.routing.best_swap import best_price, best_swap
from chalicelib.routing.router import Router
from chalicelib.services.orders.execution_events import request_of
from chalicelib.services.streams.publisher import Publisher
from chalicelib.services.streams.subscriptions import Subscriptions

log = logging.getLogger(__name__)

#: A price that hovers at an order's own makes it miss again and again. One that has gone so far through it is not
#: expected back within the seconds of a swap: what makes it miss all the same will rather end soon, so that every
#: sixth miss doubles the rest.
_CLEAR_BPS = 50
_CLEAR_MISSES = 6

#: An order that waited, and what its ``triggered`` tells.
Release = tuple[StoredOrder, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class TriggerOrders:
    """``batch`` bounds what one call releases. Times are in seconds."""

    orders: OrderStore
    waiting: OpenOrderIndex
    router: Router
    queue: OrderQueue
    publisher: Publisher
    subscriptions: Subscriptions
    executor: Executor
    now: Callable[[], datetime]
    batch: int
    pending_deadline_seconds: int
    retrigger_base: float
    retrigger_cap: float

    def at_price(self, pair: Pair, market_as_of_ms: int = 0, sides: Iterable[Side] = Side) -> int:
        """Release the limit orders of a pair whose whole size can be filled now at their price or better.

        ``market_as_of_ms``: with all that was told of the market by then. Returns how many were released.
        """
        depths = self.router.depths(pair, market_as_of_ms)
        return sum(self._at_side(pair, side, depths) for side in sides)

    def consider(self, stored: StoredOrder) -> bool:
        """Release one limit order if it can be filled now."""
        meta = self._reached(stored.order, self.router.depths(stored.order.spec.pair, to_ms(self.now())))
        return meta is not None and self._fire((stored, meta))

    def fire(self, releases: Iterable[Release]) -> int:
        """Release orders, side by side; returns how many were."""
        return sum(self.executor.map(self._fire, releases))

    def _at_side(self, pair: Pair, side: Side, depths: Sequence[Depth]) -> int:
        best = best_price(depths, side)
        if best is None:
            return 0
        found = ((one, self._reached(one.order, depths)) for one in self.waiting.crossed(pair, side, best))
        return self.fire(islice(((one, meta) for one, meta in found if meta is not None), self.batch))

    def _reached(self, order: Order, depths: Sequence[Depth]) -> dict[str, Any] | None:
        """What to tell of a limit order that can be filled now; ``None`` if it cannot, or is to rest a little."""
        spec, now = order.spec, self.now()
        if spec.type is not OrderType.LIMIT or order.status is not Status.OPEN or order.is_expired(now):
            return None
        found = best_swap(depths, spec.side, spec.amount_in)
        if found is None or found[1].amount_out < (spec.limit_min_out or 0):
            return None
        depth, swap = found
        clear = swap.amount_out * 10_000 >= (spec.limit_min_out or 0) * (10_000 + _CLEAR_BPS)
        pause = retrigger_pause(
            ceil(order.rearmed / (_CLEAR_MISSES if clear else 1)), self.retrigger_base, self.retrigger_cap
        )
        if order.last_missed_at and (now - order.last_missed_at).total_seconds() < pause:
            return None
        return {"trigger": "price", "dex": depth.venue, "price": request_of(order).price_of(swap.amount_out)}

    def _fire(self, release: Release) -> bool:
        """The one conditional write that an order leaves its waiting by, unless it has left it already."""
        stored, meta = release
        now, order_id = self.now(), stored.order.order_id
        if stored.order.is_expired(now):
            return False
        try:
            stored = self.subscriptions.unless_told(stored)
            after = stored.order.moved(Status.TRIGGERED, now, meta)
            deadline_ms = to_ms(now) + self.pending_deadline_seconds * 1000
            triggered = self.orders.write(stored, after, lease=None, deadline_ms=deadline_ms)
        except LostRaceError:
            return False
        except Exception:
            log.exception("not triggered; left to the next look", extra={"orderId": order_id})
            return False
        log.info("triggered", extra={"orderId": order_id, "trigger": meta["trigger"]})
        try:
            self.queue.send(self.publisher.publish(triggered))
        except Exception:
            log.exception("triggered but not sent on; left to the watchdog", extra={"orderId": order_id})
        return True
