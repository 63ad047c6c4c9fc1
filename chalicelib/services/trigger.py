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

from chalicelib.domain.orders import Order
from chalicelib.domain.retry import rearm_pause
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import Pair, Side
from chalicelib.encoding.times import to_ms
from chalicelib.ports import LostRaceError, OrderQueue, OrderStore, Tracked, WaitingOrders
from chalicelib.routing.depth import Depth, best_price, best_swap
from chalicelib.routing.router import Router
from chalicelib.services.outcomes import request_of
from chalicelib.services.publish import Publisher
from chalicelib.services.subscribe import Subscriptions

log = logging.getLogger(__name__)

#: A price that hovers at an order's own makes it miss again and again. One that has gone so far through it is not
#: expected back within the seconds of a swap: what makes it miss all the same will rather end soon, so that every
#: sixth miss doubles the rest.
_CLEAR_BPS = 50
_CLEAR_MISSES = 6

#: An order that waited, and what its ``triggered`` tells.
Release = tuple[Tracked, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class TriggerOrders:
    """``batch`` bounds what one call releases. Times are in seconds."""

    orders: OrderStore
    waiting: WaitingOrders
    router: Router
    queue: OrderQueue
    publisher: Publisher
    subscriptions: Subscriptions
    executor: Executor
    now: Callable[[], datetime]
    batch: int
    pending_attention_seconds: int
    rearm_base: float
    rearm_cap: float

    def at_price(self, pair: Pair, known_ms: int = 0, sides: Iterable[Side] = Side) -> int:
        """Release the limit orders of a pair whose whole size can be filled now at their price or better.

        ``known_ms``: with all that was told of the market by then. Returns how many were released.
        """
        depths = self.router.depths(pair, known_ms)
        return sum(self._at_side(pair, side, depths) for side in sides)

    def consider(self, tracked: Tracked) -> bool:
        """Release one limit order if it can be filled now."""
        meta = self._reached(tracked.order, self.router.depths(tracked.order.spec.pair, to_ms(self.now())))
        return meta is not None and self._fire((tracked, meta))

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
        if found is None or found[1].amount_out < (spec.least_out or 0):
            return None
        depth, swap = found
        clear = swap.amount_out * 10_000 >= (spec.least_out or 0) * (10_000 + _CLEAR_BPS)
        pause = rearm_pause(ceil(order.rearmed / (_CLEAR_MISSES if clear else 1)), self.rearm_base, self.rearm_cap)
        if order.rearmed_at and (now - order.rearmed_at).total_seconds() < pause:
            return None
        return {"trigger": "price", "dex": depth.venue, "price": request_of(order).price_of(swap.amount_out)}

    def _fire(self, release: Release) -> bool:
        """The one conditional write that an order leaves its waiting by, unless it has left it already."""
        tracked, meta = release
        now, order_id = self.now(), tracked.order.order_id
        if tracked.order.is_expired(now):
            return False
        try:
            tracked = self.subscriptions.unless_told(tracked)
            after = tracked.order.moved(Status.TRIGGERED, now, meta)
            attention_at_ms = to_ms(now) + self.pending_attention_seconds * 1000
            triggered = self.orders.write(tracked, after, lease=None, attention_at_ms=attention_at_ms)
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
