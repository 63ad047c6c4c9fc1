"""How an order begins: at once, or by waiting for its price or its launch."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.codec.times import to_ms, to_text
from chalicelib.domain.conditions import MAX_ORDER_LIFETIME, TimeInForce, launch_key, price_key
from chalicelib.domain.errors import FieldError, InvalidOrderError, PoolAlreadyLiveError
from chalicelib.domain.money import to_human_units
from chalicelib.domain.orders import Order, OrderSpec
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import BY_MINT
from chalicelib.ports.market import MarketStore
from chalicelib.routing.best_swap import best_swap
from chalicelib.routing.router import Router

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class InitialState:
    """The events after ``pending`` that an order is accepted with (none for a market order), and its expiry."""

    moves: tuple[tuple[Status, dict[str, Any]], ...] = ()
    until: datetime | None = None

    @property
    def waits(self) -> bool:
        return bool(self.moves) and self.moves[-1][0] is Status.OPEN

    def order(self, order_id: str, spec: OrderSpec, at: datetime, pending: dict[str, Any] | None = None) -> Order:
        """The order as it is accepted."""
        order = Order.accepted(order_id, spec, at, pending)
        for status, meta in self.moves:
            order = order.moved(status, at, meta)
        return order


@dataclass(frozen=True, slots=True)
class PlanAcceptance:
    markets: MarketStore
    router: Router

    def __call__(self, spec: OrderSpec, now: datetime) -> InitialState:
        """How an order of this specification begins now.

        :raises PoolAlreadyLiveError: if it is to wait for a launch that has been.
        :raises InvalidOrderError: if its time is up already.
        """
        if spec.type is OrderType.MARKET:
            return InitialState()
        if spec.expires_at and spec.expires_at <= now:
            raise InvalidOrderError([FieldError("expiresAt", "EXPIRY_PAST", "must be in the future")])
        until = expiry(spec, now)
        waiting = terms_meta(spec, until)
        if spec.launch:
            if spec.launch.mint in BY_MINT or self.markets.is_live(spec.launch.mint):
                raise PoolAlreadyLiveError(spec.launch.mint)
            return InitialState(((Status.OPEN, waiting),), until)
        marketable = self.is_marketable(spec, now)
        opened = (Status.OPEN, {**waiting, "marketableAtEntry": marketable})
        if marketable or spec.time_in_force is TimeInForce.IOC:
            return InitialState((opened, (Status.TRIGGERED, {"trigger": "entry"})), until)
        return InitialState((opened,), until)

    def is_marketable(self, spec: OrderSpec, now: datetime) -> bool:
        """Whether a limit order's whole size could be filled now at its price or better."""
        found = best_swap(self.router.depths(spec.pair, to_ms(now)), spec.side, spec.amount_in)
        return found is not None and found[1].amount_out >= (spec.limit_min_out or 0)


class WatchList:
    """Has the market watched for what orders wait for. Built once per process, which remembers what it has noted.

    ``launches``: also for launches, which are told of unless they are simulated.
    """

    def __init__(self, markets: MarketStore, *, launches: bool) -> None:
        self._markets = markets
        self._launches = launches
        self._noted: dict[str, int] = {}

    def cover(self, spec: OrderSpec, expires_at: datetime, now: datetime) -> None:
        """Note what an order waits for; to be called before it is written, so that none is ever overlooked."""
        if spec.launch and not self._launches:
            return
        key = launch_key(spec.launch.mint) if spec.launch else price_key(spec.pair, spec.side)
        until_ms = to_ms(expires_at)
        if self._noted.get(key, 0) >= until_ms:
            return
        # A day more than is needed, so that not every order has to be noted.
        until_ms += _DAY_MS
        self._markets.watch(key, to_ms(now), until_ms)
        self._noted[key] = until_ms


def expiry(spec: OrderSpec, now: datetime) -> datetime | None:
    """When an order that is accepted now is over if nothing happens; ``None`` if it does not wait at all."""
    if spec.time_in_force is TimeInForce.IOC:
        return None
    return spec.expires_at or now + MAX_ORDER_LIFETIME


def terms_meta(spec: OrderSpec, expires_at: datetime | None) -> dict[str, Any]:
    """What ``open`` tells of an order's terms."""
    least = spec.limit_min_out if spec.type is OrderType.LIMIT else None
    meta = {
        "limitPrice": spec.limit_price,
        "timeInForce": spec.time_in_force and spec.time_in_force.value,
        "expiresAt": expires_at and to_text(expires_at),
        "minAmountOut": None if least is None else to_human_units(least, spec.token_out.decimals),
        "minAmountOutBase": None if least is None else str(least),
        "mint": spec.launch and spec.launch.mint,
    }
    return {name: value for name, value in meta.items() if value is not None}
