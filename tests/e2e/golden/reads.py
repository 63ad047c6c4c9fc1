"""Scenes that only read: the token registry, health, quotes, previews, and unknown paths and methods."""

from tests.e2e.client import Json
from tests.e2e.golden.recorder import Recorder

_SWAP: Json = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": 2}
_CROSS_ORIGIN = {"Origin": "https://shop.example", "Access-Control-Request-Method": "GET"}
_UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


def the_registry(play: Recorder) -> None:
    """Read the tokens and the health."""
    play.call("tokens", "GET", "/api/tokens")
    play.call("health", "GET", "/health")


def the_statistics(play: Recorder) -> None:
    """Read the statistics once they contain an order of each terminal status."""
    for fault in ("network_error:1", "no_liquidity"):
        order = play.send("POST", "/orders", {**_SWAP, "userId": play.user, "simulate": fault}).body
        play.until_terminal(order["orderId"])
        play.listed(play.record(order["orderId"]))
    play.call("stats", "GET", "/api/stats")


def other_doors(play: Recorder) -> None:
    """Send preflights, and requests with an unknown path, an unsupported method or another content type."""
    for path in (
        "/api/orders/execute",
        "/orders",
        "/api/orders/preview",
        "/api/orders",
        f"/api/orders/{_UNKNOWN_ID}",
        f"/api/orders/status/{_UNKNOWN_ID}",
        f"/api/orders/{_UNKNOWN_ID}/events",
        "/api/quotes",
        "/api/market/events",
        "/api/tokens",
        "/api/stats",
        "/health",
    ):
        play.call(f"preflight of {path}", "OPTIONS", path, **_CROSS_ORIGIN)
    play.call("an answer to another origin", "GET", "/api/tokens", Origin="https://shop.example")
    play.call("no such path", "GET", "/nowhere")
    play.call("no such path, posted to", "POST", "/api/nowhere", {})
    play.call("a longer path", "GET", "/api/orders/execute/x/y")
    play.call("no such method of a list", "PUT", "/api/orders", {})
    play.call("no such method of the alias", "DELETE", "/orders")
    play.call("no such method of an order", "POST", f"/api/orders/{_UNKNOWN_ID}", {})
    play.call("no such method of quotes", "POST", "/api/quotes", {})
    for path in ("/api/orders/execute", "/orders", "/api/orders/preview", "/api/market/events"):
        for kind in ("text/plain", "application/xml"):
            play.call(f"{kind} to {path}", "POST", path, _SWAP, **{"content-type": kind})
    play.call(
        "a charset with the type", "POST", "/api/orders/preview", "{", **_typed("application/json; charset=utf-8")
    )


def _typed(kind: str) -> dict[str, str]:
    return {"content-type": kind}


def quotes(play: Recorder) -> None:
    """Request quotes of both venues, and quotes that the API refuses."""
    ask = "/api/quotes?"
    play.call("a sale", "GET", ask + "tokenIn=SOL&tokenOut=USDC&amountIn=2")
    play.call(
        "a buy by mints", "GET", ask + "tokenIn=EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v&tokenOut=SOL&amount=300"
    )
    play.call("too much for the pools", "GET", ask + "tokenIn=SOL&tokenOut=USDC&amountIn=20000")
    play.call("too little for anything", "GET", ask + "tokenIn=BONK&tokenOut=SOL&amountIn=0.00001")
    play.call("of nothing", "GET", "/api/quotes")
    play.call("of unknown tokens", "GET", ask + "tokenIn=DOGE&tokenOut=X&amountIn=-1")
    play.call("with an unknown parameter", "GET", ask + "tokenIn=SOL&tokenOut=USDC&amountIn=2&colour=red")
    play.call("in another method's name", "GET", ask + "tokenIn=SOL&tokenOut=SOL&amountIn=1e-10")


def market_previews(play: Recorder) -> None:
    """Request previews of market orders, including orders that would fail."""
    orders: dict[str, Json] = {
        "both venues": {},
        "a large one": {"amountIn": 2000, "slippage": 6},
        "raydium down": {"simulate": "venue_down:raydium"},
        "meteora down": {"simulate": "venue_down:meteora"},
        "no liquidity": {"simulate": "no_liquidity"},
        "network error": {"simulate": "network_error:1"},
        "venue timeout": {"simulate": "venue_timeout:1"},
        "too much for the pools": {"amountIn": 20000},
        "a fault of sending": {"simulate": "tx_dropped:3"},
        "nothing right": {"amountIn": -5, "tokenOut": "SOL", "slippage": 60, "userId": "?", "slipage": 1},
    }
    for step, order in orders.items():
        play.call(step, "POST", "/api/orders/preview", {**_SWAP, **order})
    play.call("no JSON", "POST", "/api/orders/preview", "nope")


def waiting_previews(play: Recorder) -> None:
    """Request previews of limit and sniper orders."""
    play.push("RAY/USDT", 1)
    limit: Json = {"type": "limit", "tokenIn": "RAY", "tokenOut": "USDT", "amountIn": 10}
    mint = play.mint("a")
    sniper: Json = {"type": "sniper", "tokenIn": "SOL", "tokenOut": mint, "amountIn": 1}
    until = "2999-01-01T00:00:00Z"
    for step, order in {
        "limit, fillable now": {**limit, "limitPrice": "0.5"},
        "limit, waiting": {**limit, "limitPrice": 2},
        "limit, a buy": {**limit, "tokenIn": "USDT", "tokenOut": "RAY", "limitPrice": "0.5"},
        "limit, IOC to be filled": {**limit, "limitPrice": "0.5", "timeInForce": "IOC"},
        "limit, IOC to expire": {**limit, "limitPrice": 2, "timeInForce": "IOC"},
        "limit, one venue down": {**limit, "limitPrice": 2, "simulate": "venue_down:meteora"},
        "limit, unfillable": {**limit, "limitPrice": 2, "simulate": "no_liquidity"},
        "limit, IOC unfillable": {**limit, "limitPrice": 2, "timeInForce": "IOC", "simulate": "no_liquidity"},
        "limit, out of reach of the network": {**limit, "limitPrice": 2, "simulate": "network_error:1"},
        "limit, too far ahead": {**limit, "limitPrice": 2, "expiresAt": until},
        "sniper": sniper,
        "sniper with filters": {**sniper, "launch": {"venue": "raydium", "maxPrice": "0.01", "minLiquidity": 5}},
        "sniper of a listed token": {**sniper, "tokenOut": "USDC"},
    }.items():
        play.call(step, "POST", "/api/orders/preview", order)
