"""Watching the market: what is told of it, and every few seconds a look at all that orders wait for."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TypeVar

from chalicelib.codec.times import to_ms
from chalicelib.domain.conditions import LAUNCH, Launch
from chalicelib.domain.tokens import Pair, Side, find_market
from chalicelib.ports.market import MarketStore, PushedPrice, WatchEntry
from chalicelib.services.market.launches import ProcessLaunches
from chalicelib.services.market.open_orders import OpenOrders
from chalicelib.services.market.trigger import TriggerOrders
from chalicelib.simulation.launches import LaunchSchedule

T = TypeVar("T")

log = logging.getLogger(__name__)

#: The schedule that looks comes once a minute.
_MINUTE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class MarketWatcher:
    markets: MarketStore
    triggers: TriggerOrders
    launches: ProcessLaunches
    open_orders: OpenOrders
    launch_source: LaunchSchedule
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    tick_seconds: float

    def price(self, pair: Pair, price: Decimal) -> int:
        """Take in a reference price, quote per base; returns how many orders it released at once."""
        at_ms = to_ms(self.now())
        self.markets.push_price(pair, PushedPrice(price, at_ms))
        return self.triggers.at_price(pair, market_as_of_ms=at_ms)

    def launch(self, launch: Launch) -> bool:
        """Take in a launch; False if it was known."""
        return self.launches.announce(launch)

    def for_a_minute(self) -> None:
        """Look every ``tick_seconds`` until the schedule comes again.

        :raises LookFailedError: if something failed in every look: nobody would notice otherwise.
        """
        start_ms = to_ms(self.now())
        tick_ms = max(1, int(self.tick_seconds * 1000))
        due_ms, whole = 0, 0
        while due_ms < _MINUTE_SECONDS * 1000:
            if (ahead_ms := start_ms + due_ms - to_ms(self.now())) > 0:
                self.sleep(ahead_ms / 1000)
            look = self._look()
            whole += not look.failed
            # A look that took long is not made up for.
            passed_ms = to_ms(self.now()) - start_ms
            due_ms = (max(passed_ms, due_ms) // tick_ms + 1) * tick_ms
        if not whole:
            raise LookFailedError("something failed in every look of this minute")

    def look(self) -> int:
        """One look: release what the market has come to, and let orders expire; returns how many were released."""
        return self._look().released

    def _look(self) -> "_Look":
        look = _Look()
        # Before those that are simulated, which are worked through as they are announced.
        look.released += look.attempt(self.launches.go_on, 0)
        # Of most pairs one side is waited on, and the other need not be asked for.
        sides: dict[Pair, list[Side]] = {}
        nothing: list[WatchEntry] = []
        for watched in look.attempt(partial(self.markets.watched, to_ms(self.now())), nothing):
            if watched.key.startswith(LAUNCH):
                look.attempt(partial(self._launch_as_simulated, watched), None)
                continue
            name, _, side = watched.key.partition("#")
            if pair := find_market(name):
                sides.setdefault(pair, []).append(Side(side))
        for pair, waited_on in sides.items():
            look.released += look.attempt(partial(self.triggers.at_price, pair, sides=waited_on), 0)
        # Last, as nobody trades for its being late: an order whose time is up is not triggered.
        look.attempt(self.open_orders.revisit_due, 0)
        if look.released:
            log.info("market watched", extra={"released": look.released})
        return look

    def _launch_as_simulated(self, watched: WatchEntry) -> None:
        launch = self.launch_source.launch_of(watched.key.removeprefix(LAUNCH), watched.since_ms, to_ms(self.now()))
        if launch is None:
            return
        if self.markets.is_live(launch.mint):
            # Who waits on does so for another one, of which somebody has to tell.
            self.markets.unwatch(watched.key)
        else:
            self.launches.announce(launch)


class LookFailedError(Exception):
    """The market could not be watched."""


@dataclass(slots=True)
class _Look:
    """What has come of a look so far."""

    released: int = 0
    failed: bool = False

    def attempt(self, work: Callable[[], T], otherwise: T) -> T:
        """What fails is tried again with the next look, and keeps nothing else from being done."""
        try:
            return work()
        except Exception:
            log.exception("a look at the market failed in part")
            self.failed = True
            return otherwise
