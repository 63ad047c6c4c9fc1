"""Scenarios of limit and sniper orders with market events and amendments, and the tuple of all scenarios.

Market events and amendments arrive a few seconds after the engine has answered an order.
"""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from chalicelib.domain.conditions import Amendment, Launch, LaunchTerms, TimeInForce
from chalicelib.domain.errors import BrokenRulesError
from chalicelib.domain.spec import Priority
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import BY_SYMBOL, Side, find_market, launched_token
from chalicelib.simulation.market import SLOT_MS
from tests.faults.virtual.client_scenarios import AT_ONCE, Expected, Scenario, follow, with_key
from tests.faults.virtual.world import World
from tests.support.callers import ANYONE

SOL_USDC = find_market("SOL/USDC")
MINT = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
#: The limit of a sell order, and a price that fills it. SOL starts at about 100 and stays near the last pushed price.
LIMIT, REACHED = Decimal(120), Decimal(135)
_TRADES, _EXPIRES = (Status.CONFIRMED,), (Status.EXPIRED,)


def a_limit(
    world: World, expected: Expected, ends: tuple[Status, ...], simulate: str | None = None, **changes: Any
) -> str:
    terms = {"limit_price": LIMIT, "time_in_force": TimeInForce.GTC, **changes}
    order_id = with_key(world, simulate, expected, type=OrderType.LIMIT, **terms)
    expected.ends.append((order_id, ends))
    return order_id


def sniper_terms(**changes: Any) -> dict[str, Any]:
    """Return the terms of an order that pays 15 USDC for the launched token."""
    return {
        "type": OrderType.SNIPER,
        "side": Side.BUY,
        "token_in": BY_SYMBOL["USDC"],
        "token_out": launched_token(MINT),
        "amount_in": 15_000_000,
        "slippage_bps": 500,
        "priority": Priority.HIGH,
        "launch": LaunchTerms(MINT, **changes),
        "time_in_force": TimeInForce.GTC,
    }


def a_launch(world: World, venue: str = "raydium", liquidity: int = 10_000, slot: int | None = None) -> Launch:
    now_ms = world.clock.now_ms()
    slot = now_ms // SLOT_MS if slot is None else slot
    return Launch(MINT, venue, f"pool of {venue}", slot, Decimal("0.001"), Decimal(liquidity), now_ms)


def price(world: World, seconds: float, to: Decimal) -> None:
    """Push a price after ``seconds``."""
    assert SOL_USDC is not None
    world.later(seconds, partial(world.engine.market.push_price, ANYONE, SOL_USDC, to))


def launch(world: World, seconds: float, venue: str, liquidity: int = 10_000) -> None:
    """Announce a launch after ``seconds``, and announce the same launch again if the call fails."""
    launched = a_launch(world, venue, liquidity, slot=1)
    world.later(seconds, partial(world.engine.market.announce_launch, ANYONE, launched))


def stream(world: World, order_id: str, expected: Expected) -> None:
    expected.users["watcher"] = "tester"
    expected.streams.append(("watcher", order_id))
    world.connect("watcher", orderId=order_id)


def triggers_later(world: World, simulate: str | None, expected: Expected) -> None:
    order_id = a_limit(world, expected, _TRADES, simulate)
    price(world, 7, REACHED)
    stream(world, order_id, expected)


def marketable(world: World, simulate: str | None, expected: Expected) -> None:
    a_limit(world, expected, _TRADES, simulate, limit_price=Decimal(80))


def hit_at_once(world: World, simulate: str | None, expected: Expected) -> None:
    a_limit(world, expected, _TRADES, simulate, limit_price=Decimal(80), time_in_force=TimeInForce.IOC)


def missed_at_once(world: World, simulate: str | None, expected: Expected) -> None:
    a_limit(world, expected, _EXPIRES, simulate, time_in_force=TimeInForce.IOC)


def expires(world: World, simulate: str | None, expected: Expected) -> None:
    expires_at = world.clock.now() + timedelta(seconds=9)
    try:
        order_id = a_limit(world, expected, _EXPIRES, simulate, time_in_force=TimeInForce.GTD, expires_at=expires_at)
    except BrokenRulesError:
        # The order expired before the engine accepted it.
        return
    world.schedule(10, lambda: None)
    stream(world, order_id, expected)


def stays_open(world: World, simulate: str | None, expected: Expected) -> None:
    a_limit(world, expected, (Status.OPEN,), simulate)
    world.schedule(6, lambda: None)


def amended(world: World, simulate: str | None, expected: Expected) -> None:
    order_id = a_limit(world, expected, _TRADES, simulate, limit_price=Decimal(200))
    world.later(3, partial(world.engine.amend, ANYONE, order_id, Amendment(limit_price=LIMIT)))
    price(world, 7, REACHED)


def amended_into_the_price(world: World, simulate: str | None, expected: Expected) -> None:
    order_id = a_limit(world, expected, _TRADES, simulate)
    world.later(3, partial(world.engine.amend, ANYONE, order_id, Amendment(limit_price=Decimal(80))))


def sniper_fires(world: World, simulate: str | None, expected: Expected) -> None:
    order_id = with_key(world, simulate, expected, **sniper_terms())
    expected.ends.append((order_id, _TRADES))
    launch(world, 4, "raydium")


def sniper_refused_then_fires(world: World, simulate: str | None, expected: Expected) -> None:
    order_id = with_key(world, simulate, expected, **sniper_terms(min_liquidity=Decimal(5000)))
    expected.ends.append((order_id, _TRADES))
    launch(world, 4, "raydium", 100)
    launch(world, 9, "meteora")
    stream(world, order_id, expected)


def followed_and_triggers(world: World, simulate: str | None, expected: Expected) -> None:
    follow(world, expected)
    order_id = a_limit(world, expected, _TRADES, simulate)
    price(world, 7, REACHED)
    expected.streams.append(("follower", order_id))


def followed_and_refused(world: World, simulate: str | None, expected: Expected) -> None:
    follow(world, expected)
    order_id = with_key(world, simulate, expected, **sniper_terms(min_liquidity=Decimal(5000)))
    expected.ends.append((order_id, (Status.OPEN,)))
    launch(world, 4, "raydium", 100)
    expected.streams.append(("follower", order_id))


OPEN_ORDERS = (
    Scenario("limit that triggers later", triggers_later),
    Scenario("limit that misses once", triggers_later, simulate="slippage:1"),
    Scenario("limit with a network error", triggers_later, simulate="network_error:1"),
    Scenario("limit marketable at entry", marketable),
    Scenario("limit marketable at entry, under a limit", marketable, rate_limit=1),
    Scenario("marketable, landed, answer lost", marketable, simulate="landed_reply_lost:1"),
    Scenario("immediate, and filled", hit_at_once),
    Scenario("immediate, and missed", missed_at_once),
    Scenario("limit that expires", expires),
    Scenario("limit that stays open", stays_open),
    Scenario("amended limit", amended),
    Scenario("amended into the price", amended_into_the_price),
    Scenario("sniper that fires", sniper_fires),
    Scenario("sniper refused, then fires", sniper_refused_then_fires),
    Scenario("followed limit that triggers", followed_and_triggers),
    Scenario("followed sniper that is refused", followed_and_refused),
)
SCENARIOS = (*AT_ONCE, *OPEN_ORDERS)
