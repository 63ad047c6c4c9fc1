"""Events of an order as server-sent events (HTML Living Standard, 9.2), in a finite body.

A client reads the body and asks again, naming its last event: a Lambda function in Python cannot send a body bit by
bit.
"""

from collections.abc import Sequence

from chalicelib.api.frames import update_frame
from chalicelib.domain.events import Event
from chalicelib.domain.orders import Order

EVENT_STREAM = "text/event-stream; charset=utf-8"
#: Time after which an EventSource asks again.
_RETRY_MS = 250


def event_stream(order: Order, events: Sequence[Event]) -> str:
    """The frames of the events as on a socket, or a comment if there are none."""
    frames = [f"id: {event.seq}\ndata: {update_frame(order, event, coarse=False)}" for event in events]
    return "".join(f"{block}\n\n" for block in (f"retry: {_RETRY_MS}", *(frames or [": no event"])))
