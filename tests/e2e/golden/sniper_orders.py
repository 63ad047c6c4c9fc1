"""Scenes of sniper orders. Each run has mints of its own."""

from tests.e2e.client import Json
from tests.e2e.golden.recorder import Recorder


def _sniper(mint: str, **changes: object) -> Json:
    return {"type": "sniper", "tokenIn": "SOL", "tokenOut": mint, "amountIn": 1, **changes}


def _pool(mint: str, pool: str, slot: int, **changes: object) -> Json:
    event = {"type": "pool_created", "mint": mint, "venue": "raydium", "pool": pool, "slot": slot}
    return {**event, "price": 1, "liquidity": 1000, **changes}


def refused_and_released(play: Recorder) -> None:
    """A launch outside an order's filters adds a wait reason; the first launch within them triggers the order."""
    mint = play.mint("a")
    wanted = {"mint": mint, "venue": "raydium", "minLiquidity": 500, "maxPrice": 2}
    accepted = play.place("placed", **_sniper(mint, launch=wanted, slippage=5))
    order_id = accepted["orderId"]
    with play.talk("stream", accepted["websocketUrl"]) as talk:
        talk.hear("ORDER_UPDATE", seq=2)
        play.settled("waiting", order_id)
        refusing: dict[str, Json] = {
            "too little liquidity": {"liquidity": 100},
            "another venue": {"venue": "meteora"},
            "too dear": {"price": 5},
            "another quote token": {"quote": "USDC"},
        }
        for number, (step, changes) in enumerate(refusing.items(), start=1):
            event = _pool(mint, f"pool {number}", number, **changes)
            play.call(step, "POST", "/api/market/events", event)
            talk.hear("ORDER_UPDATE", seq=number + 2)
            play.call(f"{step}, told twice", "POST", "/api/market/events", event)
            play.call(f"{step}, record", "GET", f"/api/orders/{order_id}")
        play.call("suits", "POST", "/api/market/events", _pool(mint, "pool 5", 5, quote="SOL"))
        talk.socket.until_terminal(order_id)
    play.settled("released", order_id)
    play.call("launched already", "POST", "/api/orders/execute", _sniper(mint))
    play.call("launched already, preview", "POST", "/api/orders/preview", _sniper(mint))
    play.call("listed already", "POST", "/api/orders/execute", _sniper("USDC"))


def without_filters(play: Recorder) -> None:
    """Trigger orders without filters by a launch with only the required fields: paid in SOL or USDC, with faults."""
    mint = play.mint("b")
    orders: dict[str, Json] = {
        "plain": {},
        "paid in USDC": {"tokenIn": "USDC", "amountIn": 20},
        "a fault": {"simulate": "tx_dropped:1"},
        "faults": {"simulate": "network_error:3"},
    }
    placed = {step: play.place(step, **_sniper(mint, **changes)) for step, changes in orders.items()}
    least = {"type": "pool_created", "mint": mint, "venue": "meteora"}
    play.call("launched", "POST", "/api/market/events", least)
    for step, accepted in placed.items():
        with play.talk(f"{step}, stream", accepted["websocketUrl"]) as talk:
            talk.socket.until_terminal(accepted["orderId"])
        play.settled(step, accepted["orderId"])
    play.call("launched again", "POST", "/api/market/events", least)


def too_small_a_pool(play: Recorder) -> None:
    """A pool too small for the amount does not trigger the order; its expiry and slippage can be amended."""
    mint = play.mint("c")
    accepted = play.place("placed", **_sniper(mint, amountIn=10))
    path = f"/api/orders/{accepted['orderId']}"
    with play.talk("stream", accepted["websocketUrl"]) as talk:
        talk.hear("ORDER_UPDATE", seq=2)
        play.call("launched", "POST", "/api/market/events", _pool(mint, "small", 1, liquidity=1))
        talk.hear("ORDER_UPDATE", seq=3)
        play.call("a price it has none", "PATCH", path, {"limitPrice": 1})
        play.call(
            "amended", "PATCH", path, {"slippage": 20, "expiresAt": play.expiry_in(3600)}, **{"If-Match": '"3"'}
        )
        talk.hear("ORDER_UPDATE", seq=4)
        play.call("record", "GET", path)
        play.call("cancelled", "DELETE", path)
        talk.socket.until_terminal(accepted["orderId"])
    play.settled("end", accepted["orderId"])


def expires(play: Recorder) -> None:
    """An order expires without a launch of its mint."""
    play.place_and_follow("GTD", **_sniper(play.mint("d"), timeInForce="GTD", expiresAt=play.expiry_in(3)))
