"""What happens to the orders whose lives the tests take: each story has every kind of one thing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from chalicelib.codec.times import to_text
from orderengine.core.commands import Request
from orderengine.testing.handle import VirtualEngine
from tests.support.kit import asked, place, post

MINT = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
_LIMIT = {"type": "limit", "limitPrice": "150"}
_SNIPER = {"type": "sniper", "tokenIn": "USDC", "tokenOut": MINT, "amountIn": "15", "slippage": "5"}
_FAULTS = (
    *(f"{name}:{count}" for name in ("network_error", "venue_timeout", "stale_quote") for count in (1, 2, 3)),
    *(f"{name}:{count}" for name in ("slippage", "tx_dropped", "landed_reply_lost") for count in (1, 2, 3)),
    *("no_liquidity", "venue_down:raydium", "venue_down:meteora", "slow:1500"),
)


def _market(engine: VirtualEngine) -> None:
    for fault in (None, *_FAULTS):
        place(engine, simulate=fault, clientOrderId=f"مرحبا {fault}")
    place(engine, tokenIn="USDC", tokenOut="BONK", amountIn="0.000001")
    place(engine, tokenIn="BONK", tokenOut="SOL", amountIn="123456789.12345", slippageBps=0)
    place(engine, tokenIn="SOL", tokenOut="USDC", amountIn="900000")
    engine.settle()


def _delayed(engine: VirtualEngine) -> None:
    for _ in range(3):
        place(engine)
    _cancel(engine, place(engine))
    engine.settle()


def _cancelled(engine: VirtualEngine) -> None:
    for seconds in (0.1, 0.5, 1.0, 3.0):
        order_id = place(engine)
        engine.advance(seconds)
        _cancel(engine, order_id)
    _cancel(engine, place(engine, **_LIMIT))
    engine.settle()


def _limit(engine: VirtualEngine) -> None:
    for fault in (None, *_FAULTS):
        place(engine, **_LIMIT, simulate=fault)
    place(engine, type="limit", limitPrice="80")
    place(engine, type="limit", limitPrice="80", timeInForce="IOC")
    place(engine, **_LIMIT, timeInForce="IOC")
    place(engine, type="limit", limitPrice="80", timeInForce="IOC", simulate="slippage:3")
    place(engine, **{**_LIMIT, "limitPrice": "900"}, expiresAt=_in(engine, 60))
    engine.advance("20s")
    engine.price("SOL/USDC", 250)
    engine.advance("5m")


def _amended(engine: VirtualEngine) -> None:
    changes: tuple[dict[str, Any], ...] = (
        {"limitPrice": "120.5"},
        {"slippage": "0.25"},
        {"expiresAt": _in(engine, 3600)},
        {"limitPrice": "140", "slippage": "2", "expiresAt": _in(engine, 1800)},
    )
    for change in changes:
        order_id = place(engine, **_LIMIT)
        _amend(engine, order_id, **change)
        _amend(engine, order_id, limitPrice="149.999999")
    sniper = place(engine, **_SNIPER)
    _amend(engine, sniper, slippage="7")
    engine.advance("1m")
    engine.price("SOL/USDC", 250)
    engine.advance("2h")


def _moved_away(engine: VirtualEngine) -> None:
    for fault in ("slippage:1", "slippage:2", "slippage:3", None):
        place(engine, **_LIMIT, simulate=fault)
    for _ in range(3):
        engine.price("SOL/USDC", 250)
        engine.advance("1s")
        engine.price("SOL/USDC", 100)
        engine.advance("2m")
    engine.price("SOL/USDC", 250)
    engine.advance("10m")


def _sniper(engine: VirtualEngine) -> None:
    for number, fault in enumerate((None, "network_error:1", "tx_dropped:2", "no_liquidity", "slippage:3"), 1):
        place(engine, **_SNIPER, simulate=fault, userId=f"bot-{number}")
    place(engine, **_SNIPER, launch={"mint": MINT, "venue": "meteora"}, expiresAt=_in(engine, 60))
    place(engine, **_SNIPER, launch={"mint": MINT, "minLiquidity": "5000"})
    place(engine, **_SNIPER, launch={"mint": MINT, "maxPrice": "0.0005"}, expiresAt=_in(engine, 300))
    refused = place(engine, **_SNIPER, launch={"mint": MINT, "maxPrice": "0.00001"})
    engine.advance("3s")
    engine.launch(MINT, venue="raydium", liquidity=100)
    engine.advance("3s")
    _amend(engine, refused, slippage="9")
    engine.launch(MINT, venue="meteora", liquidity=10_000)
    engine.advance("10m")


def _cancel(engine: VirtualEngine, order_id: str) -> None:
    asked(engine, Request("DELETE", f"/api/orders/{order_id}", (), {}, None))


def _amend(engine: VirtualEngine, order_id: str, **changes: Any) -> None:
    wanted = post(f"/api/orders/{order_id}", changes)
    answered = asked(engine, Request("PATCH", wanted.path, (), wanted.headers, wanted.body))
    assert answered.status == 200, answered.body


def _in(engine: VirtualEngine, seconds: float) -> str:
    return to_text(engine.now + timedelta(seconds=seconds))


Story = Callable[[VirtualEngine], None]
#: Each story, and the settings of its engine.
STORIES: dict[str, tuple[Story, dict[str, Any]]] = {
    "market": (_market, {}),
    "delayed": (_delayed, {"rate_limit_per_minute": 1}),
    "cancelled": (_cancelled, {}),
    "limit": (_limit, {}),
    "amended": (_amended, {}),
    "moved away": (_moved_away, {}),
    "sniper": (_sniper, {}),
}
