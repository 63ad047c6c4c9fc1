"""What the use cases need of the orders table and its indexes."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from chalicelib.domain.orders import Order
from chalicelib.domain.rate_limit import SlotReservation
from chalicelib.domain.tokens import Pair, Side
from chalicelib.ports.streams import Subscriber


@dataclass(frozen=True, slots=True)
class Lease:
    """Who works on an order, and until when (milliseconds since the epoch)."""

    owner: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order with what the engine notes beside it.

    ``published`` is the last ``seq`` known to have been pushed to the subscribers; ``deadline_ms`` the moment
    by which somebody should have moved the order on; ``reservation`` its place under the rate limit.
    """

    order: Order
    subscribers: frozenset[Subscriber] = frozenset()
    published: int = 0
    lease: Lease | None = None
    deadline_ms: int | None = None
    reservation: SlotReservation | None = None

    def is_due(self, now_ms: int) -> bool:
        """Whether somebody should have moved the order on by now."""
        return self.deadline_ms is not None and self.deadline_ms <= now_ms


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's key (scoped to the user) and the hash of the body that it first came with."""

    id: str
    body_hash: str
    order_id: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class HistoryLag:
    """How far the history is behind: so many orders, of which the oldest was accepted at ``since``."""

    orders: int = 0
    since: datetime | None = None


class LostRaceError(Exception):
    """A conditional write found the order moved on, or leased to somebody else. Nothing was written."""


class KeyTakenError(Exception):
    """An idempotency key is in use. Nothing was written."""


class UnreadableOrderError(Exception):
    """An order is there, and is none that this version of the engine understands."""


class OrderStore(Protocol):
    """The orders table, the only truth about an order. Every write is one conditional write."""

    def create(
        self,
        order: Order,
        deadline_ms: int,
        subscribers: Collection[Subscriber] = (),
        keys: Sequence[IdempotencyKey] = (),
        reservation: SlotReservation | None = None,
    ) -> StoredOrder:
        """Keep a new order together with its idempotency keys.

        :raises KeyTakenError: if one of the keys is in use.
        """
        ...

    def find_key(self, key_id: str) -> IdempotencyKey | None: ...

    def get(self, order_id: str) -> StoredOrder | None:
        """:raises UnreadableOrderError: for what is no order."""
        ...

    def write(
        self,
        before: StoredOrder,
        after: Order,
        *,
        lease: Lease | None,
        deadline_ms: int | None,
        over_lease: bool = False,
    ) -> StoredOrder:
        """Append the events that lead from ``before`` to ``after`` and set lease and attention.

        What ``before`` says of what was published, and its reservation, is noted too. Returns the subscribers as they
        are at this write.

        :raises LostRaceError: if the order has moved on since, or another's lease is running and is not overridden.
        """
        ...

    def set_deadline(self, stored: StoredOrder, deadline_ms: int | None) -> None:
        """Note until when somebody should have come back to the order, and what was published of it.

        Nothing is noted of an order that has moved on since.
        """
        ...

    def join(self, order_id: str, subscribers: Collection[Subscriber], seq: int) -> bool:
        """Add subscribers if the order still stands at ``seq``; whether it did."""
        ...

    def leave(self, order_id: str, subscribers: Collection[Subscriber]) -> None: ...

    def due(self, now_ms: int, limit: int) -> list[str]:
        """Ids of orders past their attention: those on their way, then those that are open, then those that are over.

        At most ``limit`` of each, the longest overdue first.
        """
        ...

    def unfinished_of(self, user_id: str) -> list[str]:
        """Ids of the user's orders that are not over (an eventually consistent look)."""
        ...

    def count_active(self, user_id: str, limit: int) -> int:
        """How many of the user's orders are neither open nor over, counted up to ``limit``, as the index has it."""
        ...

    def count_open(self, user_id: str, limit: int) -> int:
        """How many of the user's orders are open, counted up to ``limit``, as the index has it."""
        ...

    def due_open(self, now_ms: int, limit: int) -> list[str]:
        """Of the ids that ``due`` gives, those of open orders."""
        ...

    def behind(self, limit: int) -> HistoryLag:
        """What is over and not in the history yet, counted up to ``limit`` (an eventually consistent look)."""
        ...


class OpenOrderIndex(Protocol):
    """The open orders by what triggers them. Looks at an index, so an order may be found as it was a moment ago."""

    def crossed(self, pair: Pair, side: Side, price: Decimal) -> Iterator[StoredOrder]:
        """Open limit orders that accept this price, those with the most to give first.

        Asks for no more than is taken from it, and never for what lies beyond the price. What cannot be read is left
        out.
        """
        ...

    def for_launch(self, mint: str) -> Iterator[StoredOrder]:
        """Open sniper orders that wait for this mint, the oldest first."""
        ...
