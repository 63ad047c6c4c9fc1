"""How an accepted order begins: active at once, or open until its price or its launch."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.as_of import AsOf
from chalicelib.domain.conditions import MAX_ORDER_LIFETIME, LaunchWatch, TimeInForce, Watch
from chalicelib.domain.errors import BrokenRule, BrokenRulesError, PoolAlreadyLiveError, Rule
from chalicelib.domain.events import EventData, Opened, OpenTerms, TriggeredAtEntry
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import BY_MINT
from chalicelib.ports.market import MarketStore
from chalicelib.routing.best_swap import best_swap
from chalicelib.routing.router import Router

_DAY_MS = 86_400_000
#: The cache is cleared when it holds this many conditions: far more than the registry has pairs, but not mints.
_MAX_CACHED_WATCHES = 1000


@dataclass(frozen=True, slots=True)
class InitialState:
    """The events after ``pending`` that an order is accepted with (none for a market order), and its expiry."""

    events: tuple[EventData, ...] = ()
    expires_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return bool(self.events) and self.events[-1].status is Status.OPEN

    @property
    def marketable(self) -> bool:
        """True if a limit order can be filled when it is accepted."""
        return any(isinstance(data, Opened) and bool(data.marketable) for data in self.events)

    def order(
        self,
        order_id: str,
        spec: OrderSpec,
        at: datetime,
        starts_at: datetime | None = None,
        trace_id: str | None = None,
    ) -> Order:
        """The order as it is accepted; the rate limit delays it until ``starts_at``, if that is given."""
        order = Order.accepted(order_id, spec, at, starts_at, trace_id)
        for data in self.events:
            order = order.after(data, at)
        return order


@dataclass(frozen=True, slots=True)
class PlanAcceptance:
    markets: MarketStore
    router: Router

    def __call__(self, spec: OrderSpec, now: datetime, as_of: AsOf | None = None) -> InitialState:
        """The initial state of an order of this specification now, in the market of the request ``as_of``.

        :raises PoolAlreadyLiveError: if the mint of a sniper order already has a pool.
        :raises BrokenRulesError: if the order's expiry has passed.
        """
        if spec.type is OrderType.MARKET:
            return InitialState()
        if spec.expires_at and spec.expires_at <= now:
            raise BrokenRulesError([BrokenRule("expires_at", Rule.EXPIRES_IN_THE_FUTURE)])
        expires_at = expiry(spec, now)
        terms = open_terms(spec, expires_at)
        if spec.launch:
            if spec.launch.mint in BY_MINT or self.markets.is_live(spec.launch.mint):
                raise PoolAlreadyLiveError(spec.launch.mint)
            return InitialState((Opened(terms),), expires_at)
        marketable = self._is_marketable(spec, as_of or AsOf(to_ms(now)))
        opened = Opened(terms, marketable)
        if marketable or spec.time_in_force is TimeInForce.IOC:
            return InitialState((opened, TriggeredAtEntry()), expires_at)
        return InitialState((opened,), expires_at)

    def _is_marketable(self, spec: OrderSpec, as_of: AsOf) -> bool:
        """True if the whole size of a limit order can be filled now at its price or better."""
        best = best_swap(self.router.depths(spec.pair, as_of), spec.side, spec.amount_in)
        return best is not None and best.amount_out >= (spec.limit_min_out or 0)


class WatchList:
    """Adds what open orders wait for to the market watcher's list. One per process, which caches its entries.

    ``launches``: the watcher looks for launches too, because the simulated market makes them.
    """

    def __init__(self, markets: MarketStore, *, launches: bool) -> None:
        self._markets = markets
        self._launches = launches
        self._until_ms: dict[Watch, int] = {}

    def cover(self, spec: OrderSpec, expires_at: datetime, now: datetime) -> None:
        """Watch what an order waits for. Callers do this before they write the order, so the watcher misses none."""
        watch = spec.watch
        if isinstance(watch, LaunchWatch) and not self._launches:
            return
        until_ms = to_ms(expires_at)
        if self._until_ms.get(watch, 0) >= until_ms:
            return
        # An entry that lasts a day longer than this order saves the write for most of the next orders.
        until_ms += _DAY_MS
        self._markets.watch(watch, to_ms(now), until_ms)
        if len(self._until_ms) >= _MAX_CACHED_WATCHES:
            self._until_ms.clear()
        self._until_ms[watch] = until_ms


def expiry(spec: OrderSpec, now: datetime) -> datetime | None:
    """The expiry of an order that is accepted now; ``None`` for an immediate-or-cancel order."""
    if spec.time_in_force is TimeInForce.IOC:
        return None
    return spec.expires_at or now + MAX_ORDER_LIFETIME


def open_terms(spec: OrderSpec, expires_at: datetime | None) -> OpenTerms:
    """The terms that an order's ``open`` event states."""
    return OpenTerms(
        limit_price=spec.limit_price,
        time_in_force=spec.time_in_force,
        expires_at=expires_at,
        min_amount_out=spec.limit_min_out if spec.type is OrderType.LIMIT else None,
        mint=spec.launch.mint if spec.launch else None,
    )
