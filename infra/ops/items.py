"""Interprets the items of the orders table and the ledger, also damaged ones, as evidence for the invariants.

The operators' commands read stored orders and events through this module only.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from chalicelib.codec.exact_json import dumps
from chalicelib.codec.orders import event_from_json, spec_from_dict
from chalicelib.domain.invariants import Evidence, HistoryCopy, Swap
from chalicelib.domain.orders import Event, OrderSpec

Item = Mapping[str, Any]

#: Errors that reading a damaged specification or event raises.
_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


def evidence_of(item: Item, swaps: Mapping[str, Swap], copy: HistoryCopy | None) -> Evidence:
    """Return the order of an item with its swaps and its copy in the history; unreadable parts stay as text."""
    events = item.get("events")
    return Evidence(
        order_id=str(item["orderId"]),
        spec=_spec(item),
        status=str(item.get("status")),
        seq=_number(item.get("seq")) or 0,
        events=tuple(map(_event, events)) if isinstance(events, list) else (),
        swaps=tuple(swaps.values()),
        deadline_ms=_number(item.get("attentionAt")),
        history=copy,
    )


def data_of(event: Event) -> str:
    """Return the data that an event carries, as JSON."""
    return dumps(event.meta)


def signatures_of(evidence: Evidence) -> set[str]:
    """Return the signatures of the transactions that the order's events name."""
    return {
        event.meta["txHash"]
        for event in evidence.events
        if isinstance(event, Event)
        and isinstance(event.meta, dict)
        and isinstance(event.meta.get("txHash"), str)
        and event.meta["txHash"]
    }


def swap_of(row: Item) -> Swap | None:
    """Return the swap of a row of the ledger, or ``None`` if it has not landed."""
    if row.get("state") != "landed":
        return None
    return Swap(str(row["signature"]), str(row.get("orderId")), _number(row.get("amountOut")) or 0)


def _spec(item: Item) -> OrderSpec | None:
    try:
        return spec_from_dict(dict(item))
    except _UNREADABLE:
        return None


def _event(text: Any) -> Event | str:
    try:
        return event_from_json(text)
    except _UNREADABLE:
        return str(text)


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, Decimal) else None
