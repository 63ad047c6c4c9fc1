"""Scenes of refused requests: each problem that the API can answer with, by its code."""

from typing import Any

from tests.e2e.client import Json
from tests.e2e.golden.recorder import Recorder

_UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
_MINT = "HMcfnsfPdBANkJYL6aPEZzs5CgC7Y1wY51rKTxnnHxHU"
_OTHER_MINT = "So11111111111111111111111111111111111111112"
_ORDER: Json = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": 2}
_LIMIT: Json = {**_ORDER, "type": "limit"}
_SNIPER: Json = {**_ORDER, "type": "sniper", "tokenOut": _MINT}
_AHEAD = "2999-01-01T00:00:00Z"

#: The fields that each case adds to an order or replaces in it. The code of the first bad field names the case.
_BAD_ORDERS: list[tuple[str, Json, Json]] = [
    ("UNKNOWN_FIELD", _ORDER, {"slipage": 1}),
    ("REQUIRED", {}, {}),
    ("REQUIRED limit price", _LIMIT, {}),
    ("REQUIRED expiry", _LIMIT, {"limitPrice": 1, "timeInForce": "GTD"}),
    ("STRING_TYPE", _ORDER, {"tokenIn": 7, "tokenOut": ["USDC"], "clientOrderId": 5, "simulate": True}),
    ("TOKEN_UNKNOWN and no character", _ORDER, {"tokenIn": "\ud800"}),
    ("TOKEN_UNKNOWN", _ORDER, {"tokenIn": "DOGE"}),
    ("TOKEN_UNKNOWN and no mint", _SNIPER, {"tokenOut": "nope"}),
    ("TOKEN_UNKNOWN as not listed", _ORDER, {"tokenOut": _MINT}),
    ("TOKEN_SAME", _ORDER, {"tokenOut": "SOL"}),
    ("TOKEN_SAME by mint", _ORDER, {"tokenOut": _OTHER_MINT}),
    ("PAIR_UNSUPPORTED", _ORDER, {"tokenIn": "BONK", "tokenOut": "JUP"}),
    ("NUMBER_TYPE", _ORDER, {"amountIn": True}),
    ("NUMBER_TYPE list", _ORDER, {"amountIn": [1]}),
    ("NUMBER_TYPE object", _ORDER, {"amountIn": {"value": 1}}),
    ("NUMBER_INVALID", _ORDER, {"amountIn": "NaN"}),
    ("NUMBER_INVALID infinite", _ORDER, {"amountIn": "Infinity"}),
    ("NUMBER_INVALID empty", _ORDER, {"amountIn": ""}),
    ("NUMBER_INVALID blank", _ORDER, {"amountIn": " 1"}),
    ("NUMBER_INVALID underscore", _ORDER, {"amountIn": "1_0"}),
    ("NUMBER_INVALID long", _ORDER, {"amountIn": "1" * 65}),
    ("NUMBER_OUT_OF_RANGE", _ORDER, {"amountIn": "1e309"}),
    ("AMOUNT_NOT_POSITIVE", _ORDER, {"amountIn": 0}),
    ("AMOUNT_NOT_POSITIVE negative", _ORDER, {"amountIn": "-0.0"}),
    ("AMOUNT_TOO_PRECISE", _ORDER, {"amountIn": "1.0000000001"}),
    ("AMOUNT_TOO_LARGE", _ORDER, {"amountIn": "18446744073.709551616"}),
    ("both amounts", _ORDER, {"amount": 2}),
    ("SIDE_CONTRADICTS", _ORDER, {"side": "buy"}),
    ("NOT_ALLOWED side", _ORDER, {"side": "hold"}),
    ("NOT_ALLOWED priority", _ORDER, {"priority": "urgent"}),
    ("NOT_ALLOWED type", _ORDER, {"type": "stop"}),
    ("NOT_ALLOWED time in force", _LIMIT, {"limitPrice": 1, "timeInForce": "FOK"}),
    ("SLIPPAGE_OUT_OF_RANGE", _ORDER, {"slippage": 51}),
    ("SLIPPAGE_OUT_OF_RANGE negative", _ORDER, {"slippage": -1}),
    ("SLIPPAGE_TOO_PRECISE", _ORDER, {"slippage": "0.001"}),
    ("SLIPPAGE_CONTRADICTS", _ORDER, {"slippage": 1, "slippageBps": 200}),
    ("LESS_THAN_EQUAL", _ORDER, {"slippageBps": 5001}),
    ("GREATER_THAN_EQUAL", _ORDER, {"slippageBps": -1}),
    ("INT_TYPE", _ORDER, {"slippageBps": "100"}),
    ("USER_ID_INVALID", _ORDER, {"userId": "a b"}),
    ("USER_ID_INVALID empty", _ORDER, {"userId": ""}),
    ("USER_ID_INVALID long", _ORDER, {"userId": "x" * 65}),
    ("USER_ID_INVALID type", _ORDER, {"userId": 5}),
    ("STRING_TOO_LONG", _ORDER, {"clientOrderId": "x" * 256, "simulate": "y" * 65}),
    ("STRING_TOO_SHORT", _ORDER, {"clientOrderId": ""}),
    ("NOT_PRINTABLE", _ORDER, {"clientOrderId": "a\x00b"}),
    ("SIMULATE_UNKNOWN", _ORDER, {"simulate": "meteor_strike"}),
    ("SIMULATE_UNKNOWN count", _ORDER, {"simulate": "network_error:0"}),
    ("NOT_FOR_TYPE market", _ORDER, {"limitPrice": 1, "timeInForce": "GTC", "expiresAt": _AHEAD, "launch": {}}),
    ("NOT_FOR_TYPE limit", _LIMIT, {"limitPrice": 1, "launch": {}}),
    ("NOT_FOR_TYPE sniper", _SNIPER, {"limitPrice": 1, "timeInForce": "IOC"}),
    ("PRICE_NOT_POSITIVE", _LIMIT, {"limitPrice": 0}),
    ("PRICE_TOO_PRECISE", _LIMIT, {"limitPrice": "1e60"}),
    ("PRICE_TOO_PRECISE decimals", _LIMIT, {"limitPrice": "1e-19"}),
    ("PRICE_OUT_OF_REACH", _LIMIT, {"limitPrice": "1e-18"}),
    ("both prices", _LIMIT, {"limitPrice": 1, "targetPrice": 2}),
    ("EXPIRY_PAST", _LIMIT, {"limitPrice": 1, "expiresAt": "2000-01-01T00:00:00Z"}),
    ("EXPIRY_TOO_FAR", _LIMIT, {"limitPrice": 1, "expiresAt": _AHEAD}),
    ("EXPIRY_CONTRADICTS", _LIMIT, {"limitPrice": 1, "timeInForce": "IOC", "expiresAt": "2000-01-01T00:00:00Z"}),
    ("TIME_INVALID", _LIMIT, {"limitPrice": 1, "expiresAt": "2999-01-01"}),
    ("TIME_INVALID type", _LIMIT, {"limitPrice": 1, "expiresAt": 5}),
    ("OBJECT_TYPE", _SNIPER, {"launch": 5}),
    ("MINT_INVALID", _SNIPER, {"launch": {"mint": "x"}}),
    ("MINT_CONTRADICTS", _SNIPER, {"launch": {"mint": "SOL"}}),
    ("PAIR_UNSUPPORTED sniper", _SNIPER, {"tokenIn": "BONK"}),
    ("VENUE_UNKNOWN", _SNIPER, {"launch": {"venue": "orca", "minLiquidity": -1, "maxPrice": "x", "maxprice": 1}}),
    ("several", _ORDER, {"amountIn": -5, "tokenOut": "SOL", "slippage": 60, "userId": "?", "slipage": 1}),
]

_BAD_EVENTS: dict[str, Json] = {
    "no type": {},
    "another type": {"type": "rumour"},
    "a price of nothing": {"type": "price"},
    "a price of no pair": {"type": "price", "pair": "SOL/SOL", "price": 0},
    "a price the other way round": {"type": "price", "pair": "USDC/SOL", "price": 1},
    "a price with too many digits": {"type": "price", "pair": "SOL/USDC", "price": "1e60"},
    "a pool of nothing": {"type": "pool_created"},
    "a pool of no mint": {"type": "pool_created", "mint": "SOL", "venue": "orca"},
    "a pool of a listed mint": {"type": "pool_created", "mint": _OTHER_MINT, "venue": "raydium"},
    "a pool with bad numbers": {"type": "pool_created", "mint": _MINT, "venue": "raydium", "slot": -1, "price": -1},
    "a pool with other bad fields": {
        "type": "pool_created",
        "mint": _MINT,
        "venue": "meteora",
        "slot": 2**53 + 1,
        "quote": "BONK",
        "pool": "a\nb",
        "liquidity": "NaN",
    },
    "a pool without a name": {"type": "pool_created", "mint": _MINT, "venue": "meteora", "pool": ""},
    "a pool with a long name": {"type": "pool_created", "mint": _MINT, "venue": "meteora", "pool": "x" * 65},
}

_BAD_LISTS = {
    "limit of 0": "limit=0",
    "limit of 201": "limit=201",
    "limit that is no number": "limit=many",
    "cursor": "cursor=nonsense",
    "long cursor": "cursor=" + "x" * 513,
    "status": "status=done",
    "type": "type=stop",
    "pair": "pair=SOL/SOL",
    "from": "from=yesterday",
    "to": "to=2026-01-01T00:00:00",
    "from before all time": "from=0001-01-01T00:00:00%2B14:00",
    "user": "userId=a%20b",
    "long client order id": "clientOrderId=" + "x" * 256,
    "unprintable client order id": "clientOrderId=a%00b",
    "unknown parameter": "colour=red",
    "several": "limit=x&status=y&colour=z",
}


def bad_orders(play: Recorder) -> None:
    """Post an order with each field error."""
    for step, order, changes in _BAD_ORDERS:
        play.call(step, "POST", "/api/orders/execute", {**order, **changes})
    play.call("at the alias", "POST", "/orders", {**_ORDER, "slipage": 1})
    for number in ("1e309", "1e-400", "123456789012345678901234567890", "0.00000000001"):
        text = f'{{"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": {number}}}'
        play.call(f"amount of {number}", "POST", "/api/orders/execute", text)


def bad_bodies(play: Recorder) -> None:
    """Post bodies that are not a JSON object or too large, and invalid idempotency keys."""
    for path in ("/api/orders/execute", "/orders", "/api/orders/preview", "/api/market/events"):
        for body in ("", "nope", '{"tokenIn": ', "[1, 2]", '"text"', "null", '{"amountIn": NaN}', "[" * 9000):
            play.call(f"{body[:12] or 'nothing'} to {path}", "POST", path, body)
        large = {**_ORDER, "clientOrderId": "x" * 16 * 1024}
        play.call(f"too large for {path}", "POST", path, large)
    for step, key in {"an empty": "", "a long": "x" * 256}.items():
        play.call(f"{step} key", "POST", "/api/orders/execute", _ORDER, **{"Idempotency-Key": key})


def bad_ids(play: Recorder) -> None:
    """Use malformed and unknown order ids."""
    paths = {
        "order": ("GET", "/api/orders/{}", None),
        "status": ("GET", "/api/orders/status/{}", None),
        "events": ("GET", "/api/orders/{}/events", None),
        "cancel": ("DELETE", "/api/orders/{}", None),
        "amend": ("PATCH", "/api/orders/{}", {"limitPrice": 5}),
    }
    for step, (method, path, body) in paths.items():
        for what, order_id in {"malformed": "not-a-uuid", "unknown": _UNKNOWN_ID, "not text": "%00"}.items():
            play.call(f"{step}, {what}", method, path.format(order_id), body)
    for value in ("x", "-1", "1.5"):
        play.call(f"events after {value}", "GET", f"/api/orders/{_UNKNOWN_ID}/events?afterSeq={value}")
    play.call("events with an unknown parameter", "GET", f"/api/orders/{_UNKNOWN_ID}/events?after=1")
    play.call("cancel all of nobody", "DELETE", "/api/orders")
    play.call("cancel all of a bad user", "DELETE", "/api/orders?userId=a%20b&colour=red")
    play.call("cancel all of an unknown user", "DELETE", f"/api/orders?userId={play.user}")


def bad_lists(play: Recorder) -> None:
    """List orders with each invalid filter."""
    for step, query in _BAD_LISTS.items():
        play.call(step, "GET", f"/api/orders?{query}")


def bad_events(play: Recorder) -> None:
    """Push invalid market events."""
    for step, event in _BAD_EVENTS.items():
        play.call(step, "POST", "/api/market/events", event)


def bad_amendments(play: Recorder) -> None:
    """Send invalid amendments."""
    path = f"/api/orders/{_UNKNOWN_ID}"
    changes: list[tuple[str, Any]] = [
        ("nothing to amend", {}),
        ("price of 0", {"limitPrice": 0}),
        ("price with too many digits", {"limitPrice": "1e60"}),
        ("expiry in the past", {"expiresAt": "2000-01-01T00:00:00Z"}),
        ("expiry that is no time", {"expiresAt": "soon"}),
        ("slippage", {"slippage": 51}),
        ("contradicting slippages", {"slippage": 1, "slippageBps": 2}),
        ("unknown field", {"amountIn": 5}),
        ("no object", [1]),
        ("too large", {"x": "y" * 17000}),
    ]
    for step, body in changes:
        play.call(step, "PATCH", path, body)
    for tag in ("soon", '"a"', '"1", x', ""):
        play.call(f"If-Match {tag}", "PATCH", path, {"limitPrice": 5}, **{"If-Match": tag})
