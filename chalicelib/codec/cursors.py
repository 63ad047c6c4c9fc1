"""The position of a page in the list of orders, as opaque text."""

import base64
from datetime import datetime
from uuid import UUID

from chalicelib.codec.times import from_text, to_text
from chalicelib.domain.errors import InvalidCursorError
from chalicelib.domain.read_model import Position


def encode(created_at: datetime, order_id: str | UUID, as_of: datetime | None = None) -> str:
    """The cursor after the order created at that moment (in milliseconds). ``as_of``: the time of the first page."""
    parts = [to_text(created_at), str(order_id), *([to_text(as_of)] if as_of else [])]
    return base64.urlsafe_b64encode(" ".join(parts).encode()).rstrip(b"=").decode()


def decode(cursor: str) -> Position:
    """:raises InvalidCursorError: if ``encode`` did not make the cursor."""
    created_at, order_id, _ = _parts(cursor)
    return created_at, order_id


def as_of(cursor: str) -> datetime | None:
    """When the first page was read, if the list needs it.

    :raises InvalidCursorError: if ``encode`` did not make the cursor.
    """
    return _parts(cursor)[2]


def _parts(cursor: str) -> tuple[datetime, UUID, datetime | None]:
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
        created_at, order_id, *rest = text.split(" ")
        if len(rest) > 1:
            raise ValueError(text)
        return from_text(created_at), UUID(order_id), from_text(rest[0]) if rest else None
    except (ValueError, OverflowError) as error:
        raise InvalidCursorError(cursor) from error
