"""Scenes of limit orders. Each scene has a pair of its own; no other scene or test pushes its price."""

from tests.e2e.client import Json
from tests.e2e.golden.recorder import Recorder

#: Maximum number of amendments of an order.
MOST_AMENDMENTS = 200
#: Maximum number of open orders per user on the stack of these tests.
OPEN_ORDERS = 20


def _sell(token: str, price: object, quote: str = "USDC", **changes: object) -> Json:
    order = {"type": "limit", "tokenIn": token, "tokenOut": quote, "amountIn": 10, "limitPrice": price}
    return {**order, **changes}


#: A buy order with ``targetPrice``, the alias of ``limitPrice``.
_BUY: Json = {"type": "limit", "tokenIn": "USDC", "tokenOut": "WIF", "amountIn": 10, "targetPrice": "0.8"}


def fillable_at_entry(play: Recorder) -> None:
    """Marketable orders of each time in force."""
    play.push("RAY/USDC", 1)
    play.place_and_follow("GTC", **_sell("RAY", "0.5"))
    play.place_and_follow("GTD", **_sell("RAY", "0.5", timeInForce="GTD", expiresAt=play.expiry_in(600)))
    play.place_and_follow("IOC", **_sell("RAY", "0.5", timeInForce="IOC", clientOrderId="ioc"))
    play.place_and_follow("one venue", **_sell("RAY", "0.5", simulate="venue_down:raydium"))


def fails(play: Recorder) -> None:
    """Place orders that trigger and fail, and IOC orders that expire."""
    play.push("ORCA/USDC", 1)
    play.place_and_follow("IOC without its price", **_sell("ORCA", 2, timeInForce="IOC"))
    play.place_and_follow("IOC whose price left", **_sell("ORCA", "0.5", timeInForce="IOC", simulate="slippage:1"))
    play.place_and_follow("IOC without liquidity", **_sell("ORCA", "0.5", timeInForce="IOC", simulate="no_liquidity"))
    play.place_and_follow("without liquidity", **_sell("ORCA", "0.5", simulate="no_liquidity"))


def retries(play: Recorder) -> None:
    """Network errors use up the attempts of a limit order."""
    play.push("mSOL/USDC", 1)
    play.place_and_follow("once", **_sell("mSOL", "0.5", simulate="network_error:1"))
    play.place_and_follow("three times", **_sell("mSOL", "0.5", simulate="network_error:3"))


def price_moved_away(play: Recorder) -> None:
    """An order triggers, the price moves away before the swap, and the reopened order triggers again."""
    play.push("JTO/USDC", 1)
    play.place_and_follow("missed once", **_sell("JTO", "0.5", simulate="slippage:1"))


def waits_and_is_triggered(play: Recorder) -> None:
    """A sell order triggers at a higher price, and a buy order at a lower one."""
    play.push("WIF/USDC", 1)
    for step, order, price in (
        ("sale", _sell("WIF", "1.5", slippage=2), "1.7"),
        ("buy", _BUY, "0.7"),
    ):
        accepted = play.place(step, **order)
        order_id = accepted["orderId"]
        with play.talk(f"{step}, stream", accepted["websocketUrl"]) as talk:
            talk.hear("ORDER_UPDATE", status="open")
            play.settled(f"{step}, waiting", order_id)
            play.push("WIF/USDC", price)
            talk.socket.until_terminal(order_id)
        play.settled(step, order_id)
        play.call(f"{step}, events", "GET", f"/api/orders/{order_id}/events")
    play.call("a price that nobody waits for", "POST", "/api/market/events", _price("WIF/USDC", 1))
    play.call("a price with more to it", "POST", "/api/market/events", {**_price("WIF-USDC", "1.0"), "source": "x"})


def _price(pair: str, price: object) -> Json:
    return {"type": "price", "pair": pair, "price": price}


def expires(play: Recorder) -> None:
    """An order expires; a repeated request still gets its first answer."""
    play.push("PYTH/USDC", 1)
    order = _sell("PYTH", 2, timeInForce="GTD", expiresAt=play.expiry_in(3), clientOrderId="gtd")
    order_id = play.place_and_follow("GTD", **order)
    play.place("GTD, repeated", **order)
    play.call("GTD, cancelled", "DELETE", f"/api/orders/{order_id}")
    play.call("GTD, amended", "PATCH", f"/api/orders/{order_id}", {"limitPrice": 3})


def amended(play: Recorder) -> None:
    """Amend each term with each form of ``If-Match``, get amendments refused, and trigger by a marketable price."""
    play.push("BONK/USDC", 1)
    accepted = play.place("placed", **_sell("BONK", 2))
    order_id = accepted["orderId"]
    path = f"/api/orders/{order_id}"
    with play.talk("stream", accepted["websocketUrl"]) as talk:
        talk.hear("ORDER_UPDATE", seq=2)
        for seq, (step, changes, tag) in enumerate(
            [
                ("price, without a tag", {"limitPrice": 3}, None),
                ("slippage, under its tag", {"slippage": 2}, '"3"'),
                ("slippage in basis points, under a weak tag", {"slippageBps": 50}, 'W/"4"'),
                ("expiry, under a bare number", {"expiresAt": play.expiry_in(3600)}, "5"),
                ("all, under any tag", {"targetPrice": "4.5", "slippage": 0, "expiresAt": play.expiry_in(7200)}, "*"),
            ],
            start=3,
        ):
            play.call(step, "PATCH", path, changes, **({"If-Match": tag} if tag else {}))
            talk.hear("ORDER_UPDATE", seq=seq)
        play.call("record", "GET", path)
        play.call("moved on", "PATCH", path, {"limitPrice": 3}, **{"If-Match": '"3"'})
        play.call("out of reach", "PATCH", path, {"limitPrice": "1e-18"})
        play.call("too far ahead", "PATCH", path, {"expiresAt": play.expiry_in(86400 * 31)})
        last = {"limitPrice": "0.5"}
        play.call("to what can be had", "PATCH", path, last, **{"If-Match": '"7"'})
        talk.socket.until_terminal(order_id)
    play.settled("filled", order_id)
    play.call("not open", "PATCH", path, last)


def amended_too_often(play: Recorder) -> None:
    """An order accepts a bounded number of amendments, and can be cancelled afterwards."""
    play.push("BONK/SOL", 1)
    order_id = play.place("placed", **_sell("BONK", 2, "SOL"))["orderId"]
    path = f"/api/orders/{order_id}"
    for number in range(MOST_AMENDMENTS):
        assert play.send("PATCH", path, {"slippage": number % 50}).status == 200
    play.call("once more", "PATCH", path, {"slippage": 3})
    play.call("cancelled", "DELETE", path)


def cancelled(play: Recorder) -> None:
    """Cancel one open order, repeat the cancel, and cancel all orders of a user."""
    play.push("PYTH/SOL", 1)
    accepted = play.place("one", **_sell("PYTH", 2, "SOL"))
    path = f"/api/orders/{accepted['orderId']}"
    with play.talk("one, stream", accepted["websocketUrl"]) as talk:
        talk.hear("ORDER_UPDATE", status="open")
        play.call("one, cancelled", "DELETE", path)
        talk.socket.until_terminal(accepted["orderId"])
    play.call("one, cancelled again", "DELETE", path)
    play.call("one, amended", "PATCH", path, {"limitPrice": 3})
    play.settled("one", accepted["orderId"])
    for step in ("first", "second"):
        play.place(f"{step} of all", **_sell("PYTH", 2, "SOL"))
    slow = play.place("submitted of all", tokenIn="SOL", tokenOut="USDC", amountIn=2, simulate="slow:5000")
    with play.talk("submitted of all, stream", slow["websocketUrl"]) as talk:
        talk.hear("ORDER_UPDATE", status="submitted")
        play.call("all", "DELETE", f"/api/orders?userId={play.user}")
        talk.socket.until_terminal(slow["orderId"])
    play.call("all again", "DELETE", f"/api/orders?userId={play.user}")


def open_order_limit(play: Recorder) -> None:
    """Exceed the open order limit of a user; an IOC order is still accepted, and a cancel makes room."""
    play.push("JTO/SOL", 1)
    order = {"userId": play.user, **_sell("JTO", 2, "SOL")}
    for _ in range(OPEN_ORDERS):
        assert play.send("POST", "/orders", order).status == 202
    play.call("one too many", "POST", "/api/orders/execute", order)
    with play.talk("one too many on a socket") as talk:
        talk.ask("error", action="execute_order", requestId=1, **order)
    play.call("one that does not wait", "POST", "/api/orders/execute", {**order, "timeInForce": "IOC"})
    assert play.send("DELETE", f"/api/orders?userId={play.user}").status == 200
    play.place("when there is room again", **order)
