"""Lives of orders, for the clients of streams: every way to end, one by one and all at once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.status import OrderType
from chalicelib.services.streams.dropped_sockets import RESUME_MARGIN_SECONDS
from tests.faults.virtual.open_orders import LIMIT, REACHED, launch, price, sniper_terms
from tests.faults.virtual.world import World
from tests.support.callers import ANYONE
from tests.support.specs import a_spec

#: An order that begins so late has frames from whose times the replay does not reach back to the other orders.
LATER_SECONDS = RESUME_MARGIN_SECONDS + 15


@dataclass(frozen=True)
class Life:
    """``begin`` submits orders of the user ``tester``, and returns the id of the first one."""

    name: str
    begin: Callable[[World], str]


def market(world: World, simulate: str | None = None) -> str:
    return _submit(world, simulate=simulate)


def _limit(world: World) -> str:
    price(world, 6, REACHED)
    return _submit(world, type=OrderType.LIMIT, limit_price=LIMIT, time_in_force=TimeInForce.GTC)


def _sniper(world: World) -> str:
    launch(world, 4, "raydium")
    return _submit(world, **sniper_terms())


def _cancelled(world: World) -> str:
    order_id = _submit(world, type=OrderType.LIMIT, limit_price=LIMIT * 2, time_in_force=TimeInForce.GTC)
    world.later(3, partial(world.engine.cancel, ANYONE, order_id))
    return order_id


def _expired(world: World) -> str:
    expires_at = world.clock.now() + timedelta(seconds=8)
    terms = {"limit_price": LIMIT * 2, "time_in_force": TimeInForce.GTD, "expires_at": expires_at}
    return _submit(world, type=OrderType.LIMIT, **terms)


def _submit(world: World, **changes: Any) -> str:
    order_id: str = world.engine.submit(ANYONE, a_spec(user_id="tester", **changes)).order_id
    return order_id


SINGLE = (
    Life("market", market),
    Life("failed", partial(market, simulate="no_liquidity")),
    Life("retried", partial(market, simulate="network_error:2")),
    Life("answer lost", partial(market, simulate="landed_reply_lost:1")),
    Life("limit", _limit),
    Life("sniper", _sniper),
    Life("cancelled", _cancelled),
    Life("expired", _expired),
)


def _all(world: World) -> str:
    first, *_ = [life.begin(world) for life in SINGLE]
    world.later(LATER_SECONDS, partial(market, world))
    return first


TOGETHER = Life("all at once, and one later", _all)
