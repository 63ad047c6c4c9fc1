"""What the services need of the outside, as protocols. Adapters implement them, tests bring fakes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from chalicelib.domain.orders import Order
from chalicelib.domain.rate import Booking
from chalicelib.domain.terms import Launch
from chalicelib.domain.tokens import Pair, Side
from chalicelib.routing.feed import MarketData, PushedPrice


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A connection that follows an order, and how: coarse frames, and whether through its user's stream."""

    connection_id: str
    coarse: bool = False
    via_user: bool = False


@dataclass(frozen=True, slots=True)
class Lease:
    """Who works on an order, and until when (milliseconds since the epoch)."""

    owner: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class Tracked:
    """An order with what the engine notes beside it.

    ``published`` is the last ``seq`` known to have been pushed to the subscribers; ``attention_at_ms`` the moment
    by which somebody should have moved the order on; ``booking`` its place under the rate limit.
    """

    order: Order
    subscribers: frozenset[Subscriber] = frozenset()
    published: int = 0
    lease: Lease | None = None
    attention_at_ms: int | None = None
    booking: Booking | None = None

    def is_due(self, now_ms: int) -> bool:
        """Whether somebody should have moved the order on by now."""
        return self.attention_at_ms is not None and self.attention_at_ms <= now_ms


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's key (scoped to the user) and the hash of the body that it first came with."""

    id: str
    body_hash: str
    order_id: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Behind:
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
        attention_at_ms: int,
        subscribers: Collection[Subscriber] = (),
        keys: Sequence[IdempotencyKey] = (),
        booking: Booking | None = None,
    ) -> Tracked:
        """Keep a new order together with its idempotency keys.

        :raises KeyTakenError: if one of the keys is in use.
        """
        ...

    def find_key(self, key_id: str) -> IdempotencyKey | None: ...

    def get(self, order_id: str) -> Tracked | None:
        """:raises UnreadableOrderError: for what is no order."""
        ...

    def write(
        self,
        before: Tracked,
        after: Order,
        *,
        lease: Lease | None,
        attention_at_ms: int | None,
        over_lease: bool = False,
    ) -> Tracked:
        """Append the events that lead from ``before`` to ``after`` and set lease and attention.

        What ``before`` says of what was published, and its booking, is noted too. Returns the subscribers as they
        are at this write.

        :raises LostRaceError: if the order has moved on since, or another's lease is running and is not overridden.
        """
        ...

    def set_attention(self, tracked: Tracked, attention_at_ms: int | None) -> None:
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

    def count_moving(self, user_id: str, limit: int) -> int:
        """How many of the user's orders are neither open nor over, counted up to ``limit``, as the index has it."""
        ...

    def count_waiting(self, user_id: str, limit: int) -> int:
        """How many of the user's orders are open, counted up to ``limit``, as the index has it."""
        ...

    def due_open(self, now_ms: int, limit: int) -> list[str]:
        """Of the ids that ``due`` gives, those of open orders."""
        ...

    def behind(self, limit: int) -> Behind:
        """What is over and not in the history yet, counted up to ``limit`` (an eventually consistent look)."""
        ...


class WaitingOrders(Protocol):
    """The open orders by what triggers them. Looks at an index, so an order may be found as it was a moment ago."""

    def crossed(self, pair: Pair, side: Side, price: Decimal) -> Iterator[Tracked]:
        """Open limit orders that accept this price, those with the most to give first.

        Asks for no more than is taken from it, and never for what lies beyond the price. What cannot be read is left
        out.
        """
        ...

    def for_launch(self, mint: str) -> Iterator[Tracked]:
        """Open sniper orders that wait for this mint, the oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Watched:
    """Something that open orders wait for: a pair and side, or a launch, and since when."""

    key: str
    since_ms: int


class Markets(MarketData, Protocol):
    """What the engine was told of the market, and which part of it somebody waits for."""

    def push_price(self, pair: Pair, price: PushedPrice) -> None: ...

    def announce(self, launch: Launch) -> bool:
        """Open the pool, and note that the launch is to be worked through; False if it was announced before."""
        ...

    def unfinished(self) -> list[Launch]:
        """Launches that are still to be worked through."""
        ...

    def finish(self, launch: Launch) -> None: ...

    def is_live(self, mint: str) -> bool:
        """Whether a pool of this mint was opened."""
        ...

    def watch(self, key: str, now_ms: int, until_ms: int) -> None:
        """Have this looked at with every tick, until then at least."""
        ...

    def watched(self, now_ms: int) -> list[Watched]:
        """All that is to be looked at now."""
        ...

    def unwatch(self, key: str) -> None: ...


class StartSlots(Protocol):
    """The slots of the rate limit: see ``domain.rate``. Times are milliseconds since the epoch."""

    def book(self, now_ms: int, latest_ms: int | None = None) -> Booking:
        """Book the next slot in turn. A booking for later than ``latest_ms`` is only an answer, and not kept.

        Then it is the first that could be had at all.
        """
        ...

    def give_back(self, booking: Booking) -> None:
        """Have a booking that is not needed be taken by somebody else."""
        ...

    def book_first(self, now_ms: int, spare_due: bool = False) -> Booking:
        """Book the slot that is free first, ahead of all that ``book`` gave away.

        With ``spare_due`` only ahead of what it gave away for later than now: a booking that is due and has not
        begun keeps its slot for the minute it was booked for, as it may be one that is never used.
        """
        ...

    def start(self, booking: Booking, order_id: str, now_ms: int) -> int:
        """Use a booked slot now; returns from when it may be used, which is ``now_ms`` where it was."""
        ...


@dataclass(frozen=True, slots=True)
class Connection:
    """An open WebSocket connection."""

    connection_id: str
    coarse: bool
    expires_at: int


class StreamStore(Protocol):
    """Open connections, and who follows which user."""

    def connect(self, connection: Connection) -> None: ...

    def connection(self, connection_id: str) -> Connection | None: ...

    def disconnect(self, connection_id: str) -> None:
        """Forget a connection and what it follows."""
        ...

    def follow(self, user_id: str, subscriber: Subscriber) -> bool:
        """Have the connection told of all of the user's orders; False if it is not open (any more)."""
        ...

    def unfollow(self, user_id: str, subscriber: Subscriber) -> None: ...

    def followers(self, user_id: str) -> frozenset[Subscriber]: ...


class MessageQueue(Protocol):
    def hold(self, receipt: str, seconds: int) -> None:
        """Keep a received message from being delivered again for this long, counted from now."""
        ...


class OrderQueue(MessageQueue, Protocol):
    def send(self, tracked: Tracked, delay_seconds: int = 0) -> None:
        """Have the processor take the order up, no sooner than after the delay, of which SQS takes 900 s."""
        ...

    def ping(self) -> None:
        """Raises whatever keeps the queue from answering."""
        ...


class LetterQueue(MessageQueue, Protocol):
    """The dead letters."""

    def keep(self, body: str) -> None:
        """Put a letter by which no order can be closed where an operator finds it."""
        ...


class UrgentQueue(MessageQueue, Protocol):
    """A second copy of every urgent order, which the processor looks for before it takes what is next in turn."""

    def take(self) -> Mapping[str, Any] | None:
        """One message if there is one, as a record of a Lambda event."""
        ...

    def delete(self, receipt: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Replay:
    """A stream to bring to a connection: ``wanted`` as the client asks for it (orderId or userId, afterSeq).

    ``look`` counts the looks at a user's orders after it was followed, ``tries`` how often this could not be brought.
    """

    connection_id: str
    wanted: Mapping[str, Any]
    coarse: bool = False
    via_user: bool = False
    look: int = 0
    tries: int = 0


class ReplayQueue(MessageQueue, Protocol):
    def send(self, replays: Sequence[Replay], delay_seconds: int = 0) -> None: ...


class ConnectionGoneError(Exception):
    """Nobody is at the other end any more."""


class PushFailedError(Exception):
    """The frame could not be pushed now."""


class Sockets(Protocol):
    def push(self, connection_id: str, text: str) -> None:
        """:raises ConnectionGoneError, PushFailedError: if the frame was not taken."""
        ...


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders to list. Times are inclusive from, exclusive to."""

    user_id: str | None = None
    status: str | None = None
    type: str | None = None
    pair: str | None = None
    client_order_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of history, newest first. ``next_cursor`` is ``None`` on the last one."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    next_cursor: str | None = None


class HistoryUnavailableError(Exception):
    """Postgres cannot be reached or refused the statement."""


class History(Protocol):
    """The durable record in Postgres."""

    def record(self, order: Order) -> None:
        """Write the order and its events; writing them again changes nothing.

        :raises HistoryUnavailableError: if it could not be written.
        """
        ...

    def page(self, wanted: OrderFilter, limit: int, cursor: str | None) -> Page:
        """:raises HistoryUnavailableError, ValueError: the latter for a cursor that is none of ours."""
        ...

    def quality(self, since: datetime) -> dict[str, Any]:
        """How the orders accepted since then were executed, in the terms of ``/api/stats``.

        :raises HistoryUnavailableError: if Postgres does not answer.
        """
        ...

    def ping(self) -> None:
        """:raises HistoryUnavailableError: if Postgres does not answer."""
        ...
