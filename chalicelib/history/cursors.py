"""Where a page of history ends, as opaque text."""

import base64
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from chalicelib.codec.times import from_text

#: Of an order in the list: when it was created, and its id.
Position: TypeAlias = tuple[datetime, UUID]


def encode(created_at: str, order_id: str) -> str:
    """The cursor after the order created at that moment (RFC 3339 with milliseconds)."""
    return base64.urlsafe_b64encode(f"{created_at} {order_id}".encode()).rstrip(b"=").decode()


def decode(cursor: str) -> Position:
    """:raises ValueError: if the cursor is none of ours."""
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        created_at, order_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode().split(" ")
        return from_text(created_at), UUID(order_id)
    except (ValueError, OverflowError) as error:
        raise ValueError("not a cursor of this list") from error
