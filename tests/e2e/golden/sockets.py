"""Scenes on sockets: every address and action, the delivery of updates, and invalid messages."""

from tests.e2e.client import Json
from tests.e2e.golden.recorder import Recorder

_UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
_ORDER: Json = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": 2, "slippage": 10, "simulate": "venue_down:meteora"}
#: A limit order that never triggers: only these scenes push the price of its pair.
_RESTING: Json = {"type": "limit", "tokenIn": "RAY", "tokenOut": "SOL", "amountIn": 10, "limitPrice": 2}

_BAD_MESSAGES: dict[str, str] = {
    "no JSON": "not json",
    "a list": "[1]",
    "deep": "[" * 5000,
    "not a number": '{"action": "execute_order", "amountIn": NaN}',
    "no action": "{}",
    "an unknown action": '{"action": "fly", "requestId": "r"}',
    "an action that is no text": '{"action": 5, "requestId": 7}',
    "a request id that is none": '{"action": "ping", "requestId": [1]}',
    "a request id that is too long": f'{{"action": "ping", "requestId": "{"x" * 129}"}}',
    "no stream": '{"action": "subscribe"}',
    "a bad order id": '{"action": "subscribe", "orderId": "x", "afterSeq": "y"}',
    "two streams": f'{{"action": "subscribe", "orderId": "{_UNKNOWN_ID}", "userId": "u"}}',
    "a bad user": '{"action": "subscribe", "userId": "a b", "colour": "red"}',
    "a seq out of range": f'{{"action": "subscribe", "orderId": "{_UNKNOWN_ID}", "afterSeq": -1}}',
    "a seq too high": f'{{"action": "subscribe", "orderId": "{_UNKNOWN_ID}", "afterSeq": 10001}}',
    "an unknown order": f'{{"action": "subscribe", "orderId": "{_UNKNOWN_ID}", "requestId": "s"}}',
    "nothing to leave": '{"action": "unsubscribe"}',
    "nothing to cancel": '{"action": "cancel_order", "requestId": "c"}',
    "a bad order to cancel": '{"action": "cancel_order", "orderId": "x", "afterSeq": 1}',
    "an unknown order to cancel": f'{{"action": "cancel_order", "orderId": "{_UNKNOWN_ID}"}}',
    "an incomplete order": '{"action": "execute_order", "tokenIn": "SOL", "requestId": 3}',
    "a listed token to wait for": '{"action": "execute_order", "type": "sniper", "tokenIn": "SOL", '
    '"tokenOut": "USDC", "amountIn": 1}',
    "an order with bad fields": '{"action": "execute_order", "tokenIn": "SOL", "tokenOut": "SOL", "amountIn": -1, '
    '"slipage": 1}',
    "too large": f'{{"action": "ping", "x": "{"y" * 17000}"}}',
}


def invalid_messages(play: Recorder) -> None:
    """The engine answers each invalid message with an error frame and keeps the socket open."""
    with play.talk("messages") as talk:
        for text in _BAD_MESSAGES.values():
            talk.say_raw(text)
            talk.hear("error")
        talk.ask("pong", action="ping", requestId="still here")
    for step, address in {
        "an unknown order": f"/ws/orders/{_UNKNOWN_ID}",
        "a bad order": "/ws/orders/nonsense",
        "a bad query": "/ws?orderId=nonsense&afterSeq=minus",
        "a bad user": "/ws?userId=a%20b",
        "an order and a user": f"/ws?orderId={_UNKNOWN_ID}&userId={play.user}",
    }.items():
        with play.talk(step, address) as talk:
            talk.hear("error")
    play.refused("a path that is no stream", "/api/tokens")
    play.refused("a path that is not there", "/nowhere")


def addresses(play: Recorder) -> None:
    """Every stream address replays a terminal order's updates after the requested ``seq``."""
    accepted = play.place("placed", **_ORDER)
    order_id = accepted["orderId"]
    for step, address in {
        "from the beginning": accepted["websocketUrl"],
        "path": f"/ws/orders/{order_id}",
        "path with a slash": f"/ws/orders/{order_id}/",
        "execute": f"/api/orders/execute?orderId={order_id}",
        "connect": f"/api/orders/connect?orderId={order_id}",
        "query": f"/ws?orderId={order_id}",
        "resumed": f"/ws/orders/{order_id}?afterSeq=3",
        "resumed in the query": f"/ws?orderId={order_id}&afterSeq=5",
        "coarse": f"/ws/orders/{order_id}?statuses=coarse",
        "coarse and resumed": f"/ws/orders/{order_id}?statuses=coarse&afterSeq=4",
        "the bare API": f"{play.engine.websocket}?orderId={order_id}",
    }.items():
        with play.talk(step, address) as talk:
            talk.socket.until_terminal(order_id)
    with play.talk("other statuses", f"/ws/orders/{order_id}?statuses=fine&afterSeq=5") as talk:
        talk.hear("error")
    with play.talk("when all is told", f"/ws/orders/{order_id}?afterSeq=6") as talk:
        talk.ask("pong", action="ping")
        talk.ask(action="subscribe", orderId=order_id, afterSeq=6, requestId="all")
        talk.ask(action="subscribe", orderId=order_id, afterSeq="4", requestId="two")
        talk.socket.until_terminal(order_id)


def submitted_on_a_socket(play: Recorder) -> None:
    """Place an order on a socket, follow it to its terminal status, and repeat it."""
    order = {"userId": play.user, **_ORDER, "clientOrderId": "s"}
    with play.talk("placed") as talk:
        order_id = talk.ask(action="execute_order", requestId="r-1", **order)["orderId"]
        talk.socket.until_terminal(order_id)
    play.settled("placed", order_id)
    with play.talk("repeated", "/ws?statuses=coarse") as talk:
        talk.ask(action="execute_order", requestId=2, **order)
        talk.socket.until_terminal(order_id)
    with play.talk("the same client order id and another body") as talk:
        talk.ask("error", action="execute_order", **{**order, "amountIn": 3})


def subscriptions(play: Recorder) -> None:
    """A socket receives the updates of an order from its subscribe until its unsubscribe message."""
    play.push("RAY/SOL", 1)
    order_id = play.place("placed", **_RESTING)["orderId"]
    path = f"/api/orders/{order_id}"
    with play.talk("an order's", "/api/orders/connect") as talk:
        talk.ask(action="subscribe", orderId=order_id, requestId="join")
        talk.hear("ORDER_UPDATE", seq=2)
        _amend(play, path, 3)
        talk.hear("ORDER_UPDATE", seq=3)
        talk.ask(action="unsubscribe", orderId=order_id, requestId="leave")
        _amend(play, path, 4)
        talk.ask("pong", action="ping", requestId="silence")
        talk.ask(action="unsubscribe", orderId=order_id, requestId="leave again")
        talk.ask(action="subscribe", orderId=order_id, afterSeq=3, requestId="join again")
        talk.hear("ORDER_UPDATE", seq=4)
    with play.talk("a user's") as talk:
        talk.ask(action="subscribe", userId=play.user, requestId="join")
        talk.hear("ORDER_UPDATE", seq=4)
        _amend(play, path, 5)
        talk.hear("ORDER_UPDATE", seq=5)
        talk.ask(action="unsubscribe", userId=play.user, requestId="leave")
        _amend(play, path, 6)
        talk.ask("pong", action="ping", requestId="silence")
    with play.talk("cancels") as talk:
        talk.ask(action="cancel_order", orderId=order_id, requestId="one")
        talk.ask(action="cancel_order", orderId=order_id, requestId="one again")
        talk.ask(action="cancel_order", userId=play.user, requestId="none left")
        other = play.place("another one", **_RESTING)
        talk.ask(action="cancel_order", userId=play.user, requestId="all")
    with play.talk("the other one", other["websocketUrl"]) as talk:
        talk.socket.until_terminal(other["orderId"])


def _amend(play: Recorder, path: str, slippage: int) -> None:
    """Amend the order; equal terms would add no event."""
    assert play.send("PATCH", path, {"slippage": slippage}).status == 200


def user_streams(play: Recorder) -> None:
    """A user's stream begins with the open orders and delivers every new update, but none of another user."""
    play.push("WIF/SOL", 1)
    resting = {**_RESTING, "tokenIn": "WIF"}
    for step, address in {
        "fine": f"/ws?userId={play.user}",
        "coarse": f"/api/orders/connect?userId={play.user}&statuses=coarse",
    }.items():
        first = play.place(f"{step}, open before", **resting)["orderId"]
        ids: list[str] = [first]
        with play.talk(f"{step}, stream", address, by_order=ids) as talk:
            talk.hear("ORDER_UPDATE", orderId=first)
            play.send("POST", "/orders", {**_ORDER, "userId": f"{play.user}-other"})
            ids.append(play.place(f"{step}, a new one", **_ORDER)["orderId"])
            talk.socket.until_terminal(ids[1])
            # The engine repeats the replay of open orders one second and five seconds after the connection.
            ids.append(_placed_on_a_socket(play, step, resting))
            talk.hear("ORDER_UPDATE", orderId=ids[2])
            play.call(f"{step}, all cancelled", "DELETE", f"/api/orders?userId={play.user}")
            talk.socket.until_terminal(first, ids[2])
            talk.ask("pong", action="ping", requestId="quiet")


def _placed_on_a_socket(play: Recorder, step: str, order: Json) -> str:
    with play.talk(f"{step}, placed on a socket") as talk:
        order_id: str = talk.ask(action="execute_order", userId=play.user, **order)["orderId"]
        # The ``pending`` and the ``open`` frame arrive together.
        talk.hear("ORDER_UPDATE", seq=2)
    return order_id
