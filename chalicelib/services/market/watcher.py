"""The market watcher stores pushed prices and launches, and looks every few seconds at what open orders wait for."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TypeVar

from chalicelib.codec.times import to_ms
from chalicelib.domain.conditions import Launch, LaunchWatch, PriceWatch
from chalicelib.domain.identity import Caller, Scope
from chalicelib.domain.tokens import Pair, Side
from chalicelib.ports.market import LaunchSource, MarketStore, PushedPrice, WatchEntry
from chalicelib.services.market.launches import ProcessLaunches
from chalicelib.services.market.open_orders import OpenOrders
from chalicelib.services.market.trigger import TriggerOrders

T = TypeVar("T")

log = logging.getLogger(__name__)

#: The schedule invokes the watcher once a minute.
_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class MarketWatcher:
    markets: MarketStore
    triggers: TriggerOrders
    launches: ProcessLaunches
    open_orders: OpenOrders
    launch_source: LaunchSource
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    tick_seconds: float

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

    def run_for_a_minute(self) -> None:
        """Look every ``tick_seconds`` until the schedule invokes the watcher again.

        :raises LookFailedError: if every look failed in part, so that the function's error alarm rings.
        """
        start_ms = to_ms(self.now())
        tick_ms = max(1, int(self.tick_seconds * 1000))
        due_ms, has_complete_look = 0, False
        while due_ms < _MINUTE_MS:
            if (ahead_ms := start_ms + due_ms - to_ms(self.now())) > 0:
                self.sleep(ahead_ms / 1000)
            if not self._look().failed:
                has_complete_look = True
            # A look that takes longer than a tick skips the ticks it covers.
            passed_ms = to_ms(self.now()) - start_ms
            due_ms = (max(passed_ms, due_ms) // tick_ms + 1) * tick_ms
        if not has_complete_look:
            raise LookFailedError("every look of this minute failed in part")

    def look(self) -> int:
        """Trigger the orders that the market has reached and expire overdue ones; returns how many it triggered."""
        return self._look().triggered

    def _look(self) -> "_Look":
        look = _Look()
        # Pending launches come before simulated ones, which are processed as they are announced.
        look.triggered += look.attempt(self.launches.resume, 0)
        no_entries: list[WatchEntry] = []
        # Most pairs have open orders on one side only, and the other side needs no query.
        sides: dict[Pair, list[Side]] = {}
        for entry in look.attempt(partial(self.markets.watch_entries, to_ms(self.now())), no_entries):
            match entry.watch:
                case LaunchWatch():
                    look.attempt(partial(self._announce_simulated, entry.watch, entry.since_ms), None)
                case PriceWatch(pair=pair, side=side):
                    sides.setdefault(pair, []).append(side)
        for pair, watched_sides in sides.items():
            look.triggered += look.attempt(partial(self.triggers.at_price, pair, sides=watched_sides), 0)
        # Expire last. Being late is harmless: no trigger fires an expired order.
        look.attempt(self.open_orders.revisit_due, 0)
        if look.triggered:
            log.info("market watched", extra={"triggered": look.triggered})
        return look

    def _announce_simulated(self, watch: LaunchWatch, since_ms: int) -> None:
        launch = self.launch_source.launch_of(watch, since_ms, to_ms(self.now()))
        if launch is None:
            return
        if self.markets.is_live(launch.mint):
            # The mint is live, so no simulated launch will follow; remaining orders wait for an announced one.
            self.markets.unwatch(watch)
        else:
            self.launches.announce(launch)


class LookFailedError(Exception):
    """The watcher could not look at the market."""


@dataclass(slots=True)
class _Look:
    """The result of one look so far."""

    triggered: int = field(default=0)
    failed: bool = field(default=False)

    def attempt(self, work: Callable[[], T], default: T) -> T:
        """Do one part of the look. A part that fails does not stop the others; the next look repeats it."""
        try:
            return work()
        except Exception:
            log.exception("a look at the market failed in part")
            self.failed = True
            return default
