"""The market watcher stores pushed prices and launches, and looks at what open orders wait for."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from chalicelib.codec.times import to_ms
from chalicelib.codec.watches import watch_to_key
from chalicelib.domain.as_of import AsOf
from chalicelib.domain.conditions import Launch, LaunchWatch, PriceWatch
from chalicelib.domain.identity import Caller, Scope
from chalicelib.domain.tokens import BY_MINT, Pair
from chalicelib.observability import operations as observe
from chalicelib.ports.market import LaunchSource, MarketStore, PushedPrice, WatchEntry
from chalicelib.services.market.launches import ProcessLaunches
from chalicelib.services.market.open_orders import OpenOrders
from chalicelib.services.market.trigger import TriggerOrders
from chalicelib.services.operations.looks import LookParts, in_turn
from chalicelib.services.operations.wake_looks import WakeLooks

#: The share of the time between two looks that pending launches may take, and that simulated ones may take.
_LAUNCH_SHARE = 1 / 3


@dataclass(frozen=True, slots=True)
class MarketWatcher:
    markets: MarketStore
    triggers: TriggerOrders
    launches: ProcessLaunches
    open_orders: OpenOrders
    wake_looks: WakeLooks
    launch_source: LaunchSource
    executor: Executor
    now: Callable[[], datetime]
    look_seconds: int

    def push_price(self, caller: Caller, pair: Pair, price: Decimal) -> int:
        """Store a reference price, quote per base; returns how many orders it triggered at once.

        :raises MissingScopeError: if the caller may not operate the market.
        """
        caller.require(Scope.OPERATE)
        if pair.base.mint not in BY_MINT and not self.markets.is_live(pair.base.mint):
            # A price from before the launch moves no pool, and a feed may name any number of mints.
            return 0
        at_ms = to_ms(self.now())
        self.markets.push_price(pair, PushedPrice(price, at_ms))
        return self.triggers.at_price(pair, AsOf(at_ms))

    def announce_launch(self, caller: Caller, launch: Launch) -> bool:
        """Store a launch and trigger the orders that wait for it; False if it was announced before.

        :raises MissingScopeError: if the caller may not operate the market.
        """
        caller.require(Scope.OPERATE)
        with self.wake_looks.beside() as looks_are_awake:
            looks_are_awake()
            return self.launches.announce(launch)

    def look(self) -> int:
        """Trigger the orders that the market has reached and expire overdue ones; returns how many it triggered.

        :raises LookFailedError: if a part of the look failed; the other parts are done.
        """
        parts, triggered = LookParts(), 0
        # Pending launches come before simulated ones, which are processed as they are announced.
        triggered += parts.attempt("launches", lambda: self.launches.resume(self._end_of_launches()), 0)
        no_entries: list[WatchEntry] = []
        entries = parts.attempt("watch list", partial(self.markets.watch_entries, to_ms(self.now())), no_entries)
        self._look_at_launches(parts, entries)
        triggered += self._look_at_prices(parts, [one.watch for one in entries if isinstance(one.watch, PriceWatch)])
        # Expire last. Being late is harmless: no trigger fires an expired order.
        parts.attempt("expiry", self.open_orders.revisit_due, 0)
        if triggered:
            observe.market_watched(triggered)
        parts.finish()
        return triggered

    def _end_of_launches(self) -> datetime:
        """When a look turns to its next part, however many launches are left. A later look goes on with them."""
        return self.now() + timedelta(seconds=self.look_seconds * _LAUNCH_SHARE)

    def _look_at_launches(self, parts: LookParts, entries: Iterable[WatchEntry]) -> None:
        until = self._end_of_launches()

        def announce(watch: LaunchWatch, since_ms: int) -> None:
            if self.now() < until:
                parts.attempt(watch.mint, partial(self._announce_simulated, watch, since_ms), None)

        watched = [(one.watch, one.since_ms) for one in entries if isinstance(one.watch, LaunchWatch)]
        list(self.executor.map(lambda one: announce(*one), in_turn(watched, self.now())))

    def _look_at_prices(self, parts: LookParts, watches: Iterable[PriceWatch]) -> int:
        """Trigger a few orders of each price in turn, until none is left or ``look_seconds`` have passed."""

        def step(scan: tuple[str, Iterator[int]]) -> int | None:
            name, slices = scan
            fired: int | None = parts.attempt(name, partial(next, slices, None), None)
            return fired

        scans = [(watch_to_key(watch), self.triggers.in_slices(watch)) for watch in watches]
        until, triggered = self.now() + timedelta(seconds=self.look_seconds), 0
        while scans:
            steps = list(self.executor.map(step, scans))
            triggered += sum(filter(None, steps))
            scans = [scan for scan, fired in zip(scans, steps, strict=True) if fired is not None]
            if self.now() >= until:
                break
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
