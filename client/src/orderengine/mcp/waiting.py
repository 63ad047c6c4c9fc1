"""The tool that waits for an order."""

from collections.abc import Mapping
from typing import Any

import mcp_types as types

from orderengine import errors
from orderengine.client import Client
from orderengine.mcp.arguments import ArgumentError, checked_id
from orderengine.mcp.results import result
from orderengine.mcp.tools import MAX_WAIT_SECONDS
from orderengine.models.orders import Update


def wait_for_order(client: Client, arguments: Mapping[str, Any]) -> types.CallToolResult:
    """The events of an order until its end, or until the time is over.

    :raises ArgumentError: for arguments that no wait can have.
    :raises OrderEngineError: if the engine refuses.
    """
    order_id, seconds, after = _checked(arguments)
    found: list[Update] = []
    try:
        for update in client.watch(order_id, after=after, timeout=seconds):
            found.append(update)
    except errors.DeadlineExceeded:
        pass
    status = client.status(order_id)
    answer = {
        **status.raw,
        "isOver": status.is_terminal,
        "afterSeq": found[-1].seq if found else after,
        "events": [update.raw for update in found],
    }
    return result(answer)


def _checked(arguments: Mapping[str, Any]) -> tuple[str, float, int]:
    order_id, seconds, after = arguments.get("orderId"), arguments.get("seconds", 30), arguments.get("afterSeq", 0)
    if unknown := sorted(arguments.keys() - {"orderId", "seconds", "afterSeq"}):
        raise ArgumentError("UNKNOWN_ARGUMENT", f"{', '.join(unknown)}: it takes orderId, seconds and afterSeq")
    if order_id is None:
        raise ArgumentError("MISSING_ARGUMENT", "orderId is the id of an order")
    order_id = checked_id("orderId", order_id)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1 <= seconds <= MAX_WAIT_SECONDS:
        raise ArgumentError("INVALID_ARGUMENT", f"seconds is a number from 1 to {MAX_WAIT_SECONDS}")
    if isinstance(after, bool) or not isinstance(after, int) or after < 0:
        raise ArgumentError("INVALID_ARGUMENT", "afterSeq is the number of an event, or 0")
    return order_id, float(seconds), after
