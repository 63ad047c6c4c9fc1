"""Limit and sniper orders on the workbench, and market events that a test pushes."""

from decimal import ROUND_FLOOR, Context, Decimal
from typing import Any

from chalicelib.domain.as_of import AsOf
from chalicelib.domain.conditions import Launch, LaunchTerms, TimeInForce
from chalicelib.domain.spec import OrderSpec, Priority
from chalicelib.domain.status import OrderType
from chalicelib.domain.tokens import BY_SYMBOL, Pair, Side, launched_token
from chalicelib.routing.best_swap import best_swap
from tests.support.callers import ANYONE
from tests.support.specs import a_spec
from tests.support.workbench import Workbench

SOL, USDC = BY_SYMBOL["SOL"], BY_SYMBOL["USDC"]
SOL_USDC = Pair(base=SOL, quote=USDC)
MINT = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
#: A price this far past a limit fills an order in spite of fees and the price gap between venues.
FAR = Decimal("1.2")
_DOWN = Context(prec=28, rounding=ROUND_FLOOR)


def a_limit(price: Decimal | str | int = 150, side: Side = Side.SELL, **changes: Any) -> OrderSpec:
    """A limit order that sells two SOL, or buys SOL for 200 USDC, at this price or better."""
    swap: dict[str, Any] = {"token_in": SOL, "token_out": USDC, "amount_in": 2 * 10**9, "side": Side.SELL}
    if side is Side.BUY:
        swap = {"token_in": USDC, "token_out": SOL, "amount_in": 200 * 10**6, "side": Side.BUY}
    terms = {"limit_price": Decimal(price), "time_in_force": TimeInForce.GTC}
    return a_spec(type=OrderType.LIMIT, **{**swap, **terms, **changes})


def a_sniper(mint: str = MINT, paid: int = 10**9, **changes: Any) -> OrderSpec:
    """A sniper order that pays one SOL; ``changes`` may name launch filters as in ``LaunchTerms``."""
    filters = {name: changes.pop(name) for name in ("venue", "min_liquidity", "max_price") if name in changes}
    swap = {"token_in": SOL, "token_out": launched_token(mint), "amount_in": paid, "side": Side.BUY}
    terms = {"launch": LaunchTerms(mint, **filters), "time_in_force": TimeInForce.GTC, "priority": Priority.HIGH}
    return a_spec(type=OrderType.SNIPER, **{**swap, **terms, **changes})


def a_launch(bench: Workbench, pool: str = "pool", slot: int = 1, **changes: Any) -> Launch:
    """The launch of a pool with 1000 SOL at a price of 0.001 SOL, at the current time."""
    fields: dict[str, Any] = {
        "mint": MINT,
        "venue": "raydium",
        "price": Decimal("0.001"),
        "liquidity": Decimal(1000),
        "quote": "SOL",
    }
    return Launch(pool=pool, slot=slot, at_ms=bench.clock.now_ms(), **{**fields, **changes})


def accept(bench: Workbench, spec: OrderSpec) -> str:
    return bench.engine.submit(ANYONE, spec).order_id


def push(bench: Workbench, price: Decimal | str | int) -> int:
    """Push a price of SOL in USDC, and return the number of triggered orders."""
    return bench.engine.market.push_price(ANYONE, SOL_USDC, Decimal(price))


def best_output(bench: Workbench, spec: OrderSpec) -> int:
    """The output of the whole order at the current price of the best venue."""
    found = best_swap(
        bench.engine.queries.router.depths(spec.pair, AsOf(bench.clock.now_ms())), spec.side, spec.amount_in
    )
    assert found is not None
    return found.amount_out


def price_for(spec: OrderSpec, limit_min_out: int) -> Decimal:
    """The limit price that gives an order this minimum output."""
    paid = Decimal(spec.amount_in).scaleb(-spec.token_in.decimals)
    bought = Decimal(limit_min_out).scaleb(-spec.token_out.decimals)
    price = bought / paid if spec.side is Side.SELL else _DOWN.divide(paid, bought)
    assert a_limit(price, spec.side).limit_min_out == limit_min_out
    return price
