"""Interprets the items of the orders table and the ledger, also damaged ones, as evidence for the invariants.

The operators' commands read stored orders and events through this module only.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from chalicelib.codec.events import data_to_json, event_from_json
from chalicelib.codec.orders import UNREADABLE, spec_from_dict, spec_from_json
from chalicelib.domain.events import Confirmed, Event, Submitted
from chalicelib.domain.invariants import Evidence, HistoryCopy, Swap
from chalicelib.domain.spec import OrderSpec
from chalicelib.stores.order_items import has_ended_shard

Item = Mapping[str, Any]


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
        deadline_ms=None if has_ended_shard(item.get("attentionShard")) else _number(item.get("attentionAt")),
        history=copy,
    )


def data_of(event: Event) -> str:
    """Return the data that an event carries, as JSON."""
    return data_to_json(event.data)


def signatures_of(evidence: Evidence) -> set[str]:
    """Return the signatures of the transactions that the order's events name."""
    return {
        event.data.tx_hash
        for event in evidence.events
        if isinstance(event, Event)
        and isinstance(event.data, Submitted | Confirmed)
        # Events of version 1 may hold values of any type.
        and isinstance(event.data.tx_hash, str)
        and event.data.tx_hash
    }


def swap_of(row: Item) -> Swap | None:
    """Return the swap of a row of the ledger, or ``None`` if it has not landed."""
    if row.get("state") != "landed":
        return None
    return Swap(str(row["signature"]), str(row.get("orderId")), _number(row.get("amountOut")) or 0)


def _spec(item: Item) -> OrderSpec | None:
    """The specification of an item; items of version 1 have one attribute per field."""
    try:
        return spec_from_json(item["spec"]) if "spec" in item else spec_from_dict(item)
    except UNREADABLE:
        return None


def _event(text: Any) -> Event | str:
    try:
        return event_from_json(text)
    except UNREADABLE:
        return str(text)


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, Decimal) else None
