"""The ids of what the functions of the WebSocket API work on."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from chalicelib.observability.streams import entry
from chalicelib.observability.traces import trace_id_of


def entry_of(event: Mapping[str, Any]) -> AbstractContextManager[None]:
    """The entry of a handshake, message or disconnect, which API Gateway gives a request id each."""
    context = event["requestContext"]
    connection_id, request_id = context["connectionId"], context.get("requestId")
    if request_id is None:
        return entry(connectionId=connection_id)
    return entry(connectionId=connection_id, requestId=request_id, traceId=trace_id_of(request_id))
