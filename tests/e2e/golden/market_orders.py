"""Scenes of market orders: each simulated fault, cancels, and idempotency keys."""

from collections.abc import Callable

from tests.e2e.client import Json
from tests.e2e.golden.recorder import Recorder

_ORDER: Json = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": 2, "slippage": 10}
#: Number of orders that the scene places until a cancel arrives between two attempts.
_TRIES = 20

#: The orders of each scene, by step.
_MARKET_ORDERS: dict[str, list[tuple[str, Json]]] = {
    "market plain": [
        ("sell", {}),
        ("buy", {"tokenIn": "USDC", "tokenOut": "SOL", "amountIn": "150.25", "slippage": None}),
        (
            "every field",
            {
                "tokenIn": "So11111111111111111111111111111111111111112",
                "side": "sell",
                "type": "market",
                "tokenOut": "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB",
                "slippage": None,
                "slippageBps": 500,
                "priority": "high",
                "clientOrderId": "every field",
                "amountIn": "0.000000001e9",
            },
        ),
        ("of nothing but nulls besides", {"limitPrice": None, "launch": None, "clientOrderId": None}),
    ],
    "market one venue": [
        ("raydium down", {"simulate": "venue_down:raydium"}),
        ("meteora down", {"simulate": "venue_down:meteora"}),
        ("slow", {"simulate": "slow:200"}),
    ],
    "market ends at once": [
        ("no liquidity", {"simulate": "no_liquidity"}),
        ("too much for the pools", {"amountIn": 20_000}),
        ("reply lost", {"simulate": "landed_reply_lost:1"}),
        ("every reply lost", {"simulate": "landed_reply_lost:3"}),
    ],
    **{
        f"market {fault}": [("once", {"simulate": f"{fault}:1"}), ("three times", {"simulate": f"{fault}:3"})]
        for fault in ("network_error", "venue_timeout", "stale_quote", "slippage", "tx_dropped")
    },
    "market twice": [("network error", {"simulate": "network_error:2"})],
}


def market_scenes() -> dict[str, Callable[[Recorder], None]]:
    """Return a scene for each kind of market order."""
    return {scene: _scene(orders) for scene, orders in _MARKET_ORDERS.items()}


def _scene(orders: list[tuple[str, Json]]) -> Callable[[Recorder], None]:
    def play_them(play: Recorder) -> None:
        for step, changes in orders:
            play.place_and_follow(step, **{**_ORDER, **changes})

    return play_them


def other_ways_to_read(play: Recorder) -> None:
    """Use the alias path, the accepted query parameter, the default user, the status and events, and every link."""
    accepted = play.place("at the alias", "/orders", **_ORDER)
    order_id = accepted["orderId"]
    with play.talk("stream", accepted["websocketUrl"]) as talk:
        talk.socket.until_terminal(order_id)
    for name, link in accepted["links"].items():
        # The sentences of an explanation have amounts and times in them, which differ from run to run.
        if name != "explain":
            play.call(f"link {name}", "GET", link)
    for after in (0, 4, 6, 99):
        play.call(f"events after {after}", "GET", f"/api/orders/{order_id}/events?afterSeq={after}")
    play.call("an id in capitals", "GET", f"/api/orders/status/{order_id.upper()}", shown={"path": "(in capitals)"})
    play.call("upgrade", "POST", "/api/orders/execute?upgrade=ws", {**_ORDER, "userId": play.user})
    default_id = play.call("of nobody", "POST", "/api/orders/execute", _ORDER).body["orderId"]
    with play.talk("of nobody, stream", f"/ws/orders/{default_id}") as talk:
        talk.socket.until_terminal(default_id)
    play.call("of nobody, record", "GET", f"/api/orders/{default_id}")


def cancelling(play: Recorder) -> None:
    """Cancel too late, over HTTP and on a socket, and cancel in time."""
    accepted = play.place("slow one", **{**_ORDER, "simulate": "slow:5000"})
    order_id = accepted["orderId"]
    with play.talk("slow one, stream", accepted["websocketUrl"]) as talk:
        talk.hear("ORDER_UPDATE", status="submitted")
        play.call("too late, as it is submitted", "DELETE", f"/api/orders/{order_id}")
        talk.socket.until_terminal(order_id)
    play.call("too late, as it is over", "DELETE", f"/api/orders/{order_id}")
    with play.talk("too late on a socket") as talk:
        talk.ask("error", action="cancel_order", orderId=order_id, requestId="late")
    _cancelled_between_attempts(play)


def _cancelled_between_attempts(play: Recorder) -> None:
    """Cancel an order before its second attempt, and drop the steps of orders that were faster than the cancel."""
    for _ in range(_TRIES):
        before = len(play.entries)
        accepted = play.place("between attempts", **{**_ORDER, "simulate": "network_error:3"})
        order_id = accepted["orderId"]
        with play.talk("between attempts, stream", accepted["websocketUrl"]) as talk:
            talk.hear("ORDER_UPDATE", attempt=2)
            first = play.call("between attempts, cancelled", "DELETE", f"/api/orders/{order_id}")
            talk.socket.until_terminal(order_id)
        if (first.status, first.body.get("seq")) == (200, 4):
            play.call("between attempts, cancelled again", "DELETE", f"/api/orders/{order_id}")
            play.settled("between attempts", order_id)
            return
        del play.entries[before:]
    raise AssertionError("no cancel came between two attempts")


def one_key_for_one_order(play: Recorder) -> None:
    """A repeated request gets the first answer; a different request with the same key is refused."""
    order = {**_ORDER, "userId": play.user}
    for step, body, key in (
        ("first", order, "a"),
        ("the same key", order, "a"),
        ("the same key at the alias", order, "a"),
        ("the same key and another body", {**order, "amountIn": 3}, "a"),
        ("another user's key", {**order, "userId": f"{play.user}-other"}, "a"),
        ("first with a client order id", {**order, "clientOrderId": "c"}, None),
        ("the same client order id", {**order, "clientOrderId": "c"}, None),
        ("the same client order id and another body", {**order, "clientOrderId": "c", "slippage": 5}, None),
        ("the client order id with a key", {**order, "clientOrderId": "c"}, "b"),
        ("two keys of one order", {**order, "clientOrderId": "d"}, "d"),
        ("two keys of two orders", {**order, "clientOrderId": "c"}, "d"),
        ("the same in other words", {**order, "amountIn": "2.0", "slippageBps": 1000}, "a"),
    ):
        path = "/orders" if "alias" in step else "/api/orders/execute"
        play.call(step, "POST", path, body, **({"Idempotency-Key": key} if key else {}))
