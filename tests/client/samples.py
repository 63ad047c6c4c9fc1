"""Answers of the engine, as small as the contract allows."""

from typing import Any

ORDER_ID = "0192f6a0-0000-7000-8000-000000000001"
AT = "2026-11-01T12:00:00.000Z"


def accepted(**fields: Any) -> dict[str, Any]:
    path = f"/api/orders/{ORDER_ID}"
    links = {"self": path, "status": path, "events": f"{path}/events", "explain": f"{path}/explain"}
    return {"orderId": ORDER_ID, "status": "pending", "websocketUrl": "ws://engine/ws", "links": links, **fields}


def record(**fields: Any) -> dict[str, Any]:
    nothing = (
        "clientOrderId amountOut amountOutBase minAmountOut dexUsed executedPrice limitPrice timeInForce expiresAt "
        "launch waitReason txHash failCode failReason quotes"
    )
    return {
        **dict.fromkeys(nothing.split()),
        "orderId": ORDER_ID,
        "userId": "bot-1",
        "type": "market",
        "side": "sell",
        "tokenIn": "SOL",
        "tokenOut": "USDC",
        "amountIn": 1.5,
        "amountInBase": "1500000000",
        "status": "open",
        "phase": "queued",
        "seq": 2,
        "attempts": 0,
        "createdAt": AT,
        "updatedAt": AT,
        **fields,
    }


def event(seq: int, status: str = "routing", phase: str = "processing", **fields: Any) -> dict[str, Any]:
    return {"seq": seq, "status": status, "phase": phase, "attempt": 0, "at": AT, "meta": {}, **fields}


def events(*found: dict[str, Any]) -> dict[str, Any]:
    return {"orderId": ORDER_ID, "events": list(found)}


def cancellation(**fields: Any) -> dict[str, Any]:
    return {
        "orderId": ORDER_ID,
        "outcome": "cancelled",
        "status": "cancelled",
        "phase": "cancelled",
        "seq": 3,
        **fields,
    }


def cancellations(count: int, *, more: bool = False) -> dict[str, Any]:
    return {"cancelled": [cancellation() for _ in range(count)], "tooLate": [], "more": more}


def health(status: str = "ok") -> dict[str, Any]:
    return {"status": status, "version": "0.3.0", "dependencies": {"orders": "ok"}, "history": None}


def verdict(outcome: str, status: str, seq: int) -> dict[str, Any]:
    return {"outcome": outcome, "verdict": {"outcome": outcome, "status": status, "seq": seq}}
