"""The position of a page in the list of orders, as opaque text."""

import base64
from datetime import datetime
from uuid import UUID

from chalicelib.codec.times import from_text, to_text
from chalicelib.domain.errors import InvalidCursorError
from chalicelib.domain.read_model import Position


def encode(created_at: datetime, order_id: str | UUID) -> str:
    """The cursor after the order created at that moment (in milliseconds)."""
    return base64.urlsafe_b64encode(f"{to_text(created_at)} {order_id}".encode()).rstrip(b"=").decode()


def decode(cursor: str) -> Position:
    """:raises InvalidCursorError: if ``encode`` did not make the cursor."""
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        created_at, order_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode().split(" ")
        return from_text(created_at), UUID(order_id)
    except (ValueError, OverflowError) as error:
        raise InvalidCursorError(cursor) from error
