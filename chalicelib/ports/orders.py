"""The orders table and its indexes."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Protocol

from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.orders import Order
from chalicelib.domain.rate_limit import SlotReservation
from chalicelib.domain.tokens import Pair, Side
from chalicelib.ports.streams import Subscriber


@dataclass(frozen=True, slots=True)
class Lease:
    """The worker that executes an order, and until when it may (milliseconds since the epoch)."""

    owner: str
    until_ms: int


class Followers(Enum):
    """Whether the followers of an order's user are among its subscribers."""

    #: The user has none, or nobody has looked for them yet.
    NONE = ""
    #: The user has some, who are still to be subscribed. The order's message carries this, and its item does not.
    AWAITED = "awaited"
    SUBSCRIBED = "subscribed"


@dataclass(frozen=True, slots=True)
class LatePush:
    """Events after ``after_seq`` were pushed long after their times: at ``at`` and before."""

    after_seq: int
    at: datetime


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order with the engine's own data about it.

    The writers of the order push to its ``subscribers``; further ones are in ``groups``, which are numbered.
    ``published`` is the last ``seq`` that is known to be pushed to the subscribers. ``deadline_ms`` is the moment by
    which a worker should have moved the order on, after which the watchdog does. ``reservation`` is its slot under
    the rate limit.
    """

    order: Order
    subscribers: frozenset[Subscriber] = frozenset()
    published: int = 0
    lease: Lease | None = None
    deadline_ms: int | None = None
    reservation: SlotReservation | None = None
    groups: frozenset[int] = frozenset()
    followers: Followers = Followers.NONE
    late_push: LatePush | None = None

    @property
    def end_pushed_at(self) -> datetime:
        """The time of a terminal order's end, or of a later push: its place among the ended orders of its user."""
        ended_at = self.order.events[-1].at
        return max(ended_at, self.late_push.at) if self.late_push else ended_at

    @property
    def has_audience(self) -> bool:
        """False if an event of the order concerns no socket."""
        return bool(self.subscribers or self.groups) or self.followers is Followers.AWAITED

    def with_progress_of(self, known: "StoredOrder") -> "StoredOrder":
        """This order, with what another copy knows about its subscribers and the table does not."""
        followers = known.followers if self.followers is Followers.NONE else self.followers
        return replace(self, published=max(self.published, known.published), followers=followers)

    def is_due(self, now_ms: int) -> bool:
        """True if the deadline has passed."""
        return self.deadline_ms is not None and self.deadline_ms <= now_ms


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's key (scoped to the user), and the hash of the body that it first came with."""

    id: str
    body_hash: str
    order_id: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class HistoryLag:
    """How many terminal orders the history lacks, and when the oldest of them was accepted."""

    orders: int = 0
    since: datetime | None = None


class LostRaceError(Exception):
    """Another writer has moved the order, or another owner's lease is valid. The write had no effect.

    ``current`` is the order as it is after the lost race, if there is one.
    """

    def __init__(self, order_id: str, current: StoredOrder | None = None) -> None:
        super().__init__(order_id)
        self.current = current


class KeyTakenError(Exception):
    """Idempotency keys are in use: those in ``taken``, with the orders that they made. The write had no effect."""

    def __init__(self, taken: Sequence[IdempotencyKey] = ()) -> None:
        super().__init__([key.id for key in taken])
        self.taken = tuple(taken)


class UnreadableOrderError(Exception):
    """The item exists, but this version of the engine cannot read it."""


class OrderStore(Protocol):
    """The orders table, the only truth about an order. Every change is one conditional write."""

    def create(
        self,
        order: Order,
        deadline_ms: int,
        subscribers: Collection[Subscriber] = (),
        keys: Sequence[IdempotencyKey] = (),
        reservation: SlotReservation | None = None,
    ) -> StoredOrder:
        """Write a new order together with its idempotency keys.

        :raises KeyTakenError: if one of the keys is in use.
        """
        ...

    def ping(self) -> None:
        """Write an item that no order needs; raises what any write raises while no order could be accepted."""
        ...

    def find_key(self, key_id: str) -> IdempotencyKey | None: ...

    def get(self, order_id: str, of_user: str | None = None) -> StoredOrder | None:
        """The order. With ``of_user``, an order of another user takes as long as one that does not exist.

        :raises UnreadableOrderError: if the item cannot be read.
        """
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
        """Append the events that lead from ``before`` to ``after`` and set lease and deadline.

        The write also stores the published seq and the reservation of ``before``. Returns the subscribers and groups
        as they are at this write. ``over_lease`` ignores the lease of another owner.

        :raises LostRaceError: if another writer has moved the order, or another owner's lease is valid.
        """
        ...

    def set_deadline(self, stored: StoredOrder, deadline_ms: int | None) -> None:
        """Set or clear the deadline and store the published seq, unless another writer has moved the order."""
        ...

    def join(self, order_id: str, subscribers: Collection[Subscriber], seq: int) -> bool:
        """Add subscribers if the order is still at ``seq`` and has room for them; returns whether it added them.

        An order has room for ``MAX_DIRECT_SUBSCRIBERS``; joins at the same moment may take twice that.
        """
        ...

    def add_groups(self, order_id: str, numbers: Collection[int]) -> None:
        """Name groups of subscribers on the order, for its writers to queue."""
        ...

    def remove_group(self, order_id: str, number: int) -> None:
        """Name a group no longer on the order."""
        ...

    def mark_followers_subscribed(self, order_id: str) -> None:
        """Record that the followers of the order's user are among its subscribers."""
        ...

    def leave(self, order_id: str, subscribers: Collection[Subscriber]) -> None: ...

    def note_late_push(self, stored: StoredOrder, at: datetime) -> None:
        """Record that events after ``stored.published`` are pushed now, long after their times.

        Several notes become one: the earliest event, and the latest time.
        """
        ...

    def due(self, now_ms: int, limit: int, patience_ms: int = 0) -> list[str]:
        """Ids of overdue orders: active ones that are overdue by ``patience_ms``, then open ones, then terminal ones.

        At most ``limit`` of each kind, the longest overdue first.
        """
        ...

    def unfinished_of(
        self,
        user_id: str,
        before: datetime | None = None,
        since: datetime | None = None,
        *,
        with_unrecorded: bool = False,
    ) -> list[str]:
        """Ids of the user's active and open orders, the oldest first, that were created in a period, which does not
        include its end (eventually consistent).

        ``with_unrecorded`` adds the terminal ones that the history lacks, or whose last events may not be pushed.
        """
        ...

    def ended_of(self, user_id: str, since: datetime) -> Iterator[str]:
        """Ids of the user's orders whose end was pushed since a time, the first first (eventually consistent).

        The iterator reads little more than its caller takes. It lacks orders that ended under an earlier release.
        """
        ...

    def count_active(self, user_id: str, limit: int) -> int:
        """The number of the user's active orders, counted up to ``limit`` (eventually consistent)."""
        ...

    def count_open(self, user_id: str, limit: int) -> int:
        """The number of the user's open orders, counted up to ``limit`` (eventually consistent)."""
        ...

    def due_open(self, now_ms: int, limit: int) -> list[str]:
        """Ids of overdue open orders, at most ``limit``, the longest overdue first."""
        ...

    def has_deadlines(self) -> bool:
        """True if an order is active, open, or terminal and not recorded (eventually consistent)."""
        ...

    def history_lag(self, limit: int) -> HistoryLag:
        """Terminal orders that the history lacks, counted up to ``limit`` (eventually consistent)."""
        ...


class OpenOrderIndex(Protocol):
    """Open orders by what triggers them. The index lags, so an order may appear as it was a moment ago."""

    def crossed(
        self, pair: Pair, side: Side, price: Decimal, max_amount: int = MAX_BASE_UNITS
    ) -> Iterator[StoredOrder]:
        """Open limit orders that accept this price, the most aggressive limit first. Skips unreadable items.

        ``max_amount`` leaves out orders that pay more than so many base units, as far as the index knows the amount.

        The iterator reads no more than its caller takes, and stops at the price.
        """
        ...

    def for_launch(self, mint: str) -> Iterator[StoredOrder]:
        """Open sniper orders that wait for this mint, the oldest first. Skips unreadable items."""
        ...
