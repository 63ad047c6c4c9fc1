"""The orders of a user, or of all users, as the orders table has them: what a list shows beside the history, and the
orders that workers execute.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from chalicelib.domain.orders import Order
from chalicelib.domain.read_model import Position
from chalicelib.ports.orders import StoredOrder


class OrderIndex(Protocol):
    """Indexes of the orders table, which lag behind it by a moment, and the orders that they name."""

    def unsettled(self, user_id: str | None) -> list[Position]:
        """The orders that the history may lack, or have with an earlier status; newest first.

        These are the unfinished orders, the terminal ones that are not recorded, and recent ones. ``None`` means
        every user; open orders that are recorded are then left out.
        """
        ...

    def newest_of(self, user_id: str, since: datetime | None, before: Position | None) -> Iterator[Position]:
        """All orders of a user that were created at ``since`` or later and come after ``before``; newest first."""
        ...

    def with_deadline(self, after_ms: int, until_ms: int, limit: int) -> list[StoredOrder]:
        """The active orders whose deadline, in milliseconds since the epoch, is between these, as they are now.

        At most ``limit``, those with the latest deadlines. Skips unreadable items.
        """
        ...

    def read(self, positions: Sequence[Position]) -> list[Order]:
        """The orders, as they are now, in the same sequence. Skips unreadable items."""
        ...
