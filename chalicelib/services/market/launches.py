"""Processing of launches: each is announced once, and processed until every waiting sniper order has its answer.

A launch is stored before any order triggers, and stays pending until a later pass finds no order left to answer. A
worker that dies halfway therefore loses no order, and an order that appears in the index late gets its answer too.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.as_of import AsOf
from chalicelib.domain.conditions import Launch
from chalicelib.domain.depth import Depth
from chalicelib.domain.events import LaunchRefused, LaunchTriggered
from chalicelib.domain.money import written
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import Status
from chalicelib.observability import operations as observe
from chalicelib.observability.context import apart
from chalicelib.ports.market import MarketStore
from chalicelib.ports.orders import LostRaceError, OpenOrderIndex, StoredOrder
from chalicelib.routing.best_swap import best_swap
from chalicelib.routing.router import Router
from chalicelib.services.market.open_orders import OpenOrders
from chalicelib.services.market.trigger import Trigger, TriggerOrders
from chalicelib.services.operations.looks import in_turn

log = logging.getLogger(__name__)

#: The watcher re-scans a launch for this long: an order accepted concurrently is written within the 29 s request and
#: appears in the index a little later.
LINGER_MS = 60_000


@dataclass(frozen=True, slots=True)
class ProcessLaunches:
    open_order_index: OpenOrderIndex
    markets: MarketStore
    router: Router
    triggers: TriggerOrders
    open_orders: OpenOrders
    executor: Executor
    now: Callable[[], datetime]
    batch: int

    def announce(self, launch: Launch) -> bool:
        """Store a launch and trigger the orders that wait for it; False if it was announced before."""
        if not self.markets.announce(launch):
            return False
        observe.launched(launch)
        self._process(launch)
        return True

    def resume(self, until: datetime) -> int:
        """Continue with pending launches until then at the latest; returns how many orders triggered."""
        triggered = 0
        for launch in in_turn(self.markets.pending_launches(), self.now()):
            if self.now() >= until:
                break
            triggered += self._process(launch)
            if to_ms(self.now()) - launch.at_ms > LINGER_MS and self._is_done(launch):
                self.markets.finish_launch(launch)
        return triggered

    def _process(self, launch: Launch) -> int:
        """Trigger one batch of orders at most, and refuse one batch at most; returns how many triggered."""
        suited: list[Trigger] = []
        unsuited: list[tuple[StoredOrder, LaunchRefused]] = []
        for stored in self.open_order_index.for_launch(launch.mint):
            if not self._concerns(launch, stored.order):
                continue
            try:
                refusal = self._refusal(stored.order, launch)
            except _PoolUnavailableError:
                observe.pool_unavailable(stored.order, launch.mint)
                continue
            if refusal is None:
                suited.append((stored, LaunchTriggered(launch)))
            elif stored.order.stores_refusals:
                unsuited.append((stored, refusal))
            if len(suited) == self.batch:
                break
        triggered = self.triggers.fire(suited)
        list(self.executor.map(self._refuse, unsuited[: self.batch]))
        return triggered

    def _is_done(self, launch: Launch) -> bool:
        """True if every order has its answer, also those that a full batch or a failed write left out."""
        return not any(self._awaits(launch, stored.order) for stored in self.open_order_index.for_launch(launch.mint))

    def _awaits(self, launch: Launch, order: Order) -> bool:
        """True if the launch may still trigger the order, or add its refusal."""
        if not self._concerns(launch, order):
            return False
        try:
            return order.stores_refusals or self._refusal(order, launch) is None
        except _PoolUnavailableError:
            return True

    def _concerns(self, launch: Launch, order: Order) -> bool:
        """True if the order waits for this launch. A launch that it refused once is not judged again."""
        is_open = order.status is Status.OPEN and not order.is_expired(self.now())
        return is_open and not order.was_refused(launch.id)

    def _refusal(self, order: Order, launch: Launch) -> LaunchRefused | None:
        """The refusal if the launch does not meet the order's filters, with the depth that it was judged by.

        :raises _PoolUnavailableError: if the answer depends on the pool, and the venue cannot show it now.
        """
        spec = order.spec
        if launch.quote is not None and launch.quote != spec.pair.quote.symbol:
            return LaunchRefused(launch, f"the pool trades against {launch.quote}")
        reason = _mismatch(spec, launch)
        depth = next(iter(self.router.depths(spec.pair, AsOf(launch.at_ms), launch.opened)), None)
        if depth is None:
            if reason is None:
                raise _PoolUnavailableError
            return LaunchRefused(launch, reason)
        reason = reason or _shortcoming(spec, depth)
        return LaunchRefused(launch, reason, depth.at_ms, depth.price_at_ms, depth.launch_slot) if reason else None

    def _refuse(self, unsuited: tuple[StoredOrder, LaunchRefused]) -> None:
        stored, refusal = unsuited
        with apart(stored.order):
            self._write_refusal(stored, refusal)

    def _write_refusal(self, stored: StoredOrder, refusal: LaunchRefused) -> None:
        try:
            refused = stored.order.after(refusal, self.now())
            self.open_orders.keep(self.open_orders.renew(stored, refused))
        except LostRaceError:
            return
        except Exception:
            log.exception("refusal not written; the next look will retry", extra={"orderId": stored.order.order_id})


def _mismatch(spec: OrderSpec, launch: Launch) -> str | None:
    """The condition of the order that the launch does not meet, whatever its pool is like now."""
    wanted = spec.launch
    if wanted is None:
        return "it waits for no launch"
    if wanted.venue is not None and launch.venue != wanted.venue:
        return f"launched on {launch.venue}, not on {wanted.venue}"
    if wanted.min_liquidity is not None and launch.liquidity < wanted.min_liquidity:
        return f"liquidity of {written(launch.liquidity)} is less than {written(wanted.min_liquidity)}"
    return None


def _shortcoming(spec: OrderSpec, depth: Depth) -> str | None:
    """Why the pool cannot fill the order within its maximum price."""
    best = best_swap([depth], spec.side, spec.amount_in)
    if best is None:
        return "the pool is too small for this amount"
    if spec.launch and spec.launch.max_price is not None and best.amount_out < (spec.limit_min_out or 0):
        return f"the whole amount costs more than {written(spec.launch.max_price)}"
    return None


class _PoolUnavailableError(Exception):
    """The pool exists, but its venue cannot show it now."""
