"""Orders and events in words for people, and as frames for programs."""

from collections.abc import Iterator, Mapping
from typing import Any

from orderengine.cli.exact_text import plain
from orderengine.models.orders import Order, Update

#: The quotes of the venues in the contract's events.
_VENUES = {"rQuote": "raydium", "mQuote": "meteora"}

#: What ``detail`` tells with the quotes or the failure, or that is another name of something told.
_TOLD = frozenset({*_VENUES, "lastError", "code", "chosen", "errors", "executionPrice"})


def frame(update: Update) -> dict[str, Any]:
    """An event as the stream of the engine sends it, whichever way it came."""
    owner = {"userId": update.user_id} if update.user_id else {}
    return {"type": "ORDER_UPDATE", "orderId": update.order_id, **owner, **update.raw}


def terms(order: Order) -> str:
    """What an order is to do, on one line: ``sell 1.5 SOL → USDC``."""
    limit = f" at {plain(order.limit_price)} or better" if order.limit_price is not None else ""
    return f"{order.side} {plain(order.amount_in)} {order.token_in} → {order.token_out}{limit}"


def swap(order: Order) -> str:
    """What an order did, or is to do."""
    if order.amount_out is None:
        return terms(order)
    return f"{plain(order.amount_in)} {order.token_in} → {plain(order.amount_out)} {order.token_out}"


def facts(order: Order) -> dict[str, Any]:
    """The record of an order by name."""
    failure = f"{order.fail_code}: {order.fail_reason}" if order.fail_code else None
    launch = order.launch and ", ".join(f"{name} {plain(value)}" for name, value in order.launch.raw.items() if value)
    return {
        "order": order.id,
        "user": order.user_id,
        "client order id": order.client_order_id,
        "what": f"{order.type}: {terms(order)}",
        "status": f"{order.status} (event {order.seq})",
        "why": failure or order.wait_reason,
        "got": order.amount_out and f"{plain(order.amount_out)} {order.token_out}",
        "price": order.executed_price,
        "venue": order.dex_used,
        "at least": order.min_amount_out and f"{plain(order.min_amount_out)} {order.token_out}",
        "attempts": order.attempts or None,
        "launch": launch,
        "expires": order.expires_at,
        "transaction": order.tx_hash,
        "created": order.created_at,
        "updated": order.updated_at,
    }


def detail(update: Update) -> str:
    """What an event tells, on one line."""
    return " · ".join(_details(update.meta))


def _details(meta: Mapping[str, Any]) -> Iterator[str]:
    failure = failure_of(meta)
    yield from filter(None, [failure])
    yield from quotes_of(meta)
    for name, value in meta.items():
        if name in _TOLD or name.endswith("Base") or isinstance(value, Mapping):
            continue
        if value is None or value is False:
            continue
        if name == "reason" and not failure:
            yield plain(value)
        elif name == "txHash":
            yield f"{name} {plain(value)[:8]}…"
        elif name != "reason":
            yield f"{name} {', '.join(map(plain, value)) if isinstance(value, list) else plain(value)}"


def failure_of(meta: Mapping[str, Any]) -> str:
    """``CODE: reason`` of a failed attempt or order."""
    failure = meta.get("lastError") or (meta if "code" in meta else None)
    if not isinstance(failure, Mapping):
        return ""
    return f"{plain(failure.get('code'))}: {plain(failure.get('reason'))}"


def quotes_of(meta: Mapping[str, Any]) -> list[str]:
    """The price of each venue, with a mark at the chosen one."""
    found = []
    errors = meta.get("errors")
    for name, venue in _VENUES.items():
        quote = meta.get(name)
        mark = " ✔" if venue == meta.get("chosen") else ""
        if isinstance(quote, Mapping):
            found.append(f"{venue} {plain(quote.get('price'))}{mark}")
        elif isinstance(errors, Mapping) and isinstance(errors.get(venue), Mapping):
            found.append(f"{venue} {plain(errors[venue].get('code'))}")
    return found
