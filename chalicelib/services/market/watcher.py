"""The market watcher stores pushed prices and launches, and looks at what open orders wait for."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from chalicelib.codec.times import to_ms
from chalicelib.domain.conditions import Launch, LaunchWatch, PriceWatch
from chalicelib.domain.identity import Caller, Scope
from chalicelib.domain.tokens import Pair, Side
from chalicelib.ports.market import LaunchSource, MarketStore, PushedPrice, WatchEntry
from chalicelib.services.market.launches import ProcessLaunches
from chalicelib.services.market.open_orders import OpenOrders
from chalicelib.services.market.trigger import TriggerOrders
from chalicelib.services.operations.looks import LookParts

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MarketWatcher:
    markets: MarketStore
    triggers: TriggerOrders
    launches: ProcessLaunches
    open_orders: OpenOrders
    launch_source: LaunchSource
    now: Callable[[], datetime]

    def push_price(self, caller: Caller, pair: Pair, price: Decimal) -> int:
        """Store a reference price, quote per base; returns how many orders it triggered at once.

        :raises MissingScopeError: if the caller may not operate the market.
        """
        caller.require(Scope.OPERATE)
        at_ms = to_ms(self.now())
        self.markets.push_price(pair, PushedPrice(price, at_ms))
        return self.triggers.at_price(pair, market_as_of_ms=at_ms)

    def announce_launch(self, caller: Caller, launch: Launch) -> bool:
        """Store a launch and trigger the orders that wait for it; False if it was announced before.

        :raises MissingScopeError: if the caller may not operate the market.
        """
        caller.require(Scope.OPERATE)
        return self.launches.announce(launch)

    def look(self) -> int:
        """Trigger the orders that the market has reached and expire overdue ones; returns how many it triggered.

        :raises LookFailedError: if a part of the look failed; the other parts are done.
        """
        parts, triggered = LookParts(), 0
        # Pending launches come before simulated ones, which are processed as they are announced.
        triggered += parts.attempt("launches", self.launches.resume, 0)
        no_entries: list[WatchEntry] = []
        # Most pairs have open orders on one side only, and the other side needs no query.
        sides: dict[Pair, list[Side]] = {}
        for entry in parts.attempt("watch list", partial(self.markets.watch_entries, to_ms(self.now())), no_entries):
            match entry.watch:
                case LaunchWatch():
                    announce = partial(self._announce_simulated, entry.watch, entry.since_ms)
                    parts.attempt(entry.watch.mint, announce, None)
                case PriceWatch(pair=pair, side=side):
                    sides.setdefault(pair, []).append(side)
        for pair, watched in sides.items():
            triggered += parts.attempt(pair.name, partial(self.triggers.at_price, pair, sides=watched), 0)
        # Expire last. Being late is harmless: no trigger fires an expired order.
        parts.attempt("expiry", self.open_orders.revisit_due, 0)
        if triggered:
            log.info("market watched", extra={"triggered": triggered})
        parts.finish()
        return triggered

    def _announce_simulated(self, watch: LaunchWatch, since_ms: int) -> None:
        launch = self.launch_source.launch_of(watch, since_ms, to_ms(self.now()))
        if launch is None:
            return
        if self.markets.is_live(launch.mint):
            # The mint is live, so no simulated launch will follow; remaining orders wait for an announced one.
            self.markets.unwatch(watch)
        else:
            self.launches.announce(launch)
