"""Launches: told of once, worked through until every sniper order that waited has its answer.

A launch is kept before anybody is released, and stays on a list until it has been gone through after a while: so a
worker that dies halfway loses nothing, and neither does an order that the index shows late.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from chalicelib.codec.times import to_ms
from chalicelib.domain.conditions import MAX_EVENTS_WHILE_OPEN, Launch
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.ports.market import MarketStore
from chalicelib.ports.orders import LostRaceError, OpenOrderIndex, StoredOrder
from chalicelib.routing.best_swap import best_swap
from chalicelib.routing.router import Router
from chalicelib.services.market.open_orders import OpenOrders
from chalicelib.services.market.trigger import Release, TriggerOrders

log = logging.getLogger(__name__)

#: A launch is gone through again for so long: an order for which it came just as it was accepted is written within a
#: request's time of it, and the index shows it a little later.
LINGER_MS = 60_000


@dataclass(frozen=True, slots=True)
class ProcessLaunches:
    waiting: OpenOrderIndex
    markets: MarketStore
    router: Router
    triggers: TriggerOrders
    open_orders: OpenOrders
    executor: Executor
    now: Callable[[], datetime]
    batch: int

    def announce(self, launch: Launch) -> bool:
        """Take a launch in, and release who waited for it; False if it was known."""
        if not self.markets.announce(launch):
            return False
        log.info("launched", extra={"mint": launch.mint, "venue": launch.venue})
        self._work_through(launch)
        return True

    def go_on(self) -> int:
        """Work on through the launches that are not done with; returns how many orders were released."""
        released = 0
        for launch in self.markets.unfinished():
            released += self._work_through(launch)
            if to_ms(self.now()) - launch.at_ms > LINGER_MS and self._is_done(launch):
                self.markets.finish(launch)
        return released

    def _work_through(self, launch: Launch) -> int:
        """Release a batch at most, and tell as many others why they are not; returns how many were released."""
        suited: list[Release] = []
        unsuited: list[tuple[StoredOrder, str]] = []
        for stored in self.waiting.for_launch(launch.mint):
            if not self._concerns(launch, stored.order):
                continue
            try:
                reason = self._refusal(stored.order, launch)
            except _UnseenError:
                log.warning("left to the next look", extra={"orderId": stored.order.order_id, "mint": launch.mint})
                continue
            if reason is None:
                suited.append((stored, {"trigger": "launch", "launch": _launch_meta(launch)}))
            elif stored.order.seq < MAX_EVENTS_WHILE_OPEN:
                unsuited.append((stored, reason))
            if len(suited) == self.batch:
                break
        released = self.triggers.fire(suited)
        list(self.executor.map(partial(self._refuse, launch), unsuited[: self.batch]))
        return released

    def _is_done(self, launch: Launch) -> bool:
        """Whether nobody is left whom a full batch, or a write that failed, has kept from an answer."""
        waiting = self.waiting.for_launch(launch.mint)
        return not any(self._concerns(launch, one.order) and one.order.seq < MAX_EVENTS_WHILE_OPEN for one in waiting)

    def _concerns(self, launch: Launch, order: Order) -> bool:
        # Once only: a launch that did not suit an order is not looked at again.
        waits = order.status is Status.OPEN and not order.is_expired(self.now())
        return waits and not order.was_refused(launch.id)

    def _refusal(self, order: Order, launch: Launch) -> str | None:
        """Why the launch does not suit the order; ``None`` if it does.

        :raises _UnseenError: if its pool cannot be looked at now.
        """
        spec, wanted = order.spec, order.spec.launch
        if wanted is None:
            return "it waits for no launch"
        if launch.quote is not None and launch.quote != spec.pair.quote.symbol:
            return f"the pool trades against {launch.quote}"
        if wanted.venue is not None and launch.venue != wanted.venue:
            return f"launched on {launch.venue}, not on {wanted.venue}"
        if wanted.min_liquidity is not None and launch.liquidity < wanted.min_liquidity:
            return f"liquidity of {launch.liquidity} is less than {wanted.min_liquidity}"
        depths = self.router.depths(spec.pair, launch.at_ms, launch.opened)
        if not depths:
            raise _UnseenError
        found = best_swap(depths, spec.side, spec.amount_in)
        if found is None:
            return "the pool is too small for this amount"
        if found[1].amount_out < (spec.limit_min_out or 0):
            return f"the whole amount costs more than {wanted.max_price}"
        return None

    def _refuse(self, launch: Launch, unsuited: tuple[StoredOrder, str]) -> None:
        stored, reason = unsuited
        meta = {"reason": reason, "launchId": launch.id, "launch": _launch_meta(launch)}
        try:
            refused = stored.order.moved(Status.OPEN, self.now(), meta)
            self.open_orders.keep(self.open_orders.renew(stored, refused))
        except LostRaceError:
            return
        except Exception:
            log.exception("not told; left to the next look", extra={"orderId": stored.order.order_id})


class _UnseenError(Exception):
    """A pool is there, and could not be looked at."""


def _launch_meta(launch: Launch) -> dict[str, Any]:
    return {
        "mint": launch.mint,
        "venue": launch.venue,
        "pool": launch.pool,
        "slot": launch.slot,
        "price": launch.price,
        "liquidity": launch.liquidity,
    }
