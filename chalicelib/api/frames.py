"""The frames of the public contract."""

from typing import Any

from chalicelib.codec.exact_json import dumps
from chalicelib.codec.times import to_text
from chalicelib.domain.orders import Event, Order


def update_frame(order: Order, event: Event, *, coarse: bool) -> str:
    """``ORDER_UPDATE`` for one event. A coarse frame has the phase as status, and the status as detail."""
    phase = event.phase.value
    status = {"status": phase, "detailedStatus": event.status.value} if coarse else {"status": event.status.value}
    return dumps(
        {
            "type": "ORDER_UPDATE",
            "orderId": order.order_id,
            "userId": order.spec.user_id,
            "seq": event.seq,
            **status,
            "phase": phase,
            "attempt": event.attempt,
            "at": to_text(event.at),
            "meta": event.meta,
        }
    )


def reply_frame(kind: str, request_id: object = None, **fields: Any) -> str:
    """An answer to something a client said: ``ack``, ``pong`` or ``error``."""
    request = {} if request_id is None else {"requestId": request_id}
    return dumps({"type": kind, **request, **fields})
