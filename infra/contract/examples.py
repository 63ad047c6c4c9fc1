"""Examples of requests. A test sends every one of them to a running engine."""

from typing import Any

_SWAP: dict[str, Any] = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5"}
#: A mint that no pool has.
NEW_MINT = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"


def _example(summary: str, **value: Any) -> dict[str, Any]:
    return {"summary": summary, "value": value}


_ORDERS = {
    "market": _example("Sell 1.5 SOL for USDC now", **_SWAP, slippage=1),
    "buy": _example(
        "Buy SOL for 150.25 USDC, tolerance in basis points",
        tokenIn="USDC",
        tokenOut="SOL",
        amountIn=150.25,
        side="buy",
        slippageBps=50,
    ),
    "limit": _example(
        "Sell 1.5 SOL once it brings 300 USDC each",
        **_SWAP,
        type="limit",
        limitPrice="300",
        timeInForce="GTC",
    ),
    "sniper": _example(
        "Buy a token for 1 SOL when its first pool opens",
        tokenIn="SOL",
        tokenOut=NEW_MINT,
        amountIn=1,
        type="sniper",
        launch={"minLiquidity": 500, "maxPrice": "0.01"},
    ),
}

#: The examples of request bodies by operation.
BODIES: dict[str, dict[str, Any]] = {
    "executeOrder": _ORDERS,
    "createOrder": _ORDERS,
    "previewOrder": _ORDERS,
    "amendOrder": {
        "price": _example("Ask for a better price", limitPrice="310"),
        "tolerance": _example("Allow less slippage", slippageBps=30),
    },
    "postMarketEvent": {
        "price": _example("The price of a pair", type="price", pair="SOL/USDC", price="165.5"),
        "launch": _example(
            "A pool that opens", type="pool_created", mint=NEW_MINT, venue="raydium", liquidity=1000, price="0.002"
        ),
    },
    "createStreamTicket": {"ticket": _example("No fields")},
}
#: The examples of query parameters by operation.
QUERIES: dict[str, dict[str, Any]] = {
    "listOrders": {"userId": "anonymous", "status": "open", "type": "limit", "pair": "SOL/USDC", "limit": 50},
    "cancelOrders": {"userId": "anonymous"},
    "getOrder": {"atSeq": 1},
    "getOrderEvents": {"afterSeq": 2},
    "getQuotes": {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5"},
    "getStats": {"userId": "anonymous"},
}

_ORDER_ID = "3f2b8c1e-6a4d-4f0b-9d57-0c1f6a1f2b3c"
#: The examples of actions on a socket.
ACTIONS: dict[str, dict[str, Any]] = {
    "execute_order": {
        name: _example(one["summary"], action="execute_order", requestId="r-1", **one["value"])
        for name, one in _ORDERS.items()
    },
    "subscribe": {
        "order": _example(
            "The stream of an order", action="subscribe", requestId="r-2", orderId=_ORDER_ID, afterSeq=2
        ),
        "user": _example(
            "The streams of all orders of a user", action="subscribe", requestId="r-3", userId="anonymous"
        ),
    },
    "unsubscribe": {"order": _example("Leave the stream of an order", action="unsubscribe", orderId=_ORDER_ID)},
    "cancel_order": {
        "order": _example("Cancel an order", action="cancel_order", requestId="r-4", orderId=_ORDER_ID),
        "user": _example("Cancel all orders of a user", action="cancel_order", requestId="r-5", userId="anonymous"),
    },
    "ping": {"ping": _example("Keep the socket open", action="ping", requestId=6)},
}

_EVENT: dict[str, Any] = {
    "type": "ORDER_UPDATE",
    "orderId": _ORDER_ID,
    "userId": "anonymous",
    "seq": 5,
    "status": "submitted",
    "phase": "processing",
    "attempt": 1,
    "at": "2026-01-31T12:00:00.250Z",
    "meta": {
        "dex": "raydium",
        "txHash": "5wHu1qwD4kS6sPkpjU1WAp3HPG5sCVNvJ8mYJ7vCw4zA1vKX3cL2bq7Tn8RrU6yJ9dEoZ5MhGf2WtQaBxNpKsLdC",
    },
}
_CANCELLED = {"orderId": _ORDER_ID, "outcome": "cancelled", "status": "cancelled", "phase": "cancelled", "seq": 3}
#: The examples of frames.
FRAMES: dict[str, dict[str, Any]] = {
    "orderUpdate": {"submitted": _example("The transaction is sent", **_EVENT)},
    "coarseOrderUpdate": {
        "processing": _example(
            "The same by phase", **_EVENT | {"status": "processing", "detailedStatus": "submitted"}
        )
    },
    "live": {
        "order": _example("The stream of an order is up to date", type="live", orderId=_ORDER_ID, seq=6),
        "user": _example("The stream of a user is up to date", type="live", userId="anonymous", at=_EVENT["at"]),
    },
    "ack": {
        "placed": _example(
            "An order is placed", type="ack", requestId="r-1", action="execute_order", orderId=_ORDER_ID
        )
    },
    "cancelled": {
        "order": _example("It is cancelled", type="ack", requestId="r-4", action="cancel_order", **_CANCELLED)
    },
    "allCancelled": {
        "user": _example(
            "One of two could be cancelled",
            type="ack",
            requestId="r-5",
            action="cancel_order",
            userId="anonymous",
            cancelled=[_CANCELLED],
            tooLate=[{"orderId": _ORDER_ID, "outcome": "too_late", "status": "confirmed", "seq": 6}],
            more=False,
        )
    },
    "pong": {"pong": _example("The engine is there", type="pong", requestId=6, at=_EVENT["at"])},
    "error": {
        "order": _example(
            "The order is not valid",
            type="error",
            requestId="r-1",
            title="Invalid order",
            status=422,
            detail="1 field is not valid.",
            code="INVALID_ORDER",
            errors=[{"field": "amountIn", "code": "AMOUNT_NOT_POSITIVE", "message": "must be greater than 0"}],
        )
    },
}
