"""The events of an order's life: one frozen class per kind, each with its own data.

Amounts are integers in base units, prices are quote per base. The class of an event's data determines the status
that the order has after it.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from chalicelib.domain.conditions import Amendment, Launch, TimeInForce
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.status import PHASES, Phase, Status


@dataclass(frozen=True, slots=True)
class VenueQuote:
    """A venue's offer. ``amount_out`` is net of the fee; ``fee`` is in base units of the token paid.

    ``liquidity`` is the quote-token side of the pool in human units. The venue computes the offer at
    ``quoted_at_ms``, from the price that was pushed at ``price_at_ms`` (both in milliseconds since the epoch) and,
    for the pool of a launched mint, from the launch with the slot ``launch_slot``. Orders of earlier versions have
    none of these, and a market without a pushed price has no ``price_at_ms``.
    """

    price: Decimal
    amount_out: int
    fee: int
    fee_bps: Decimal
    price_impact_pct: Decimal
    liquidity: Decimal
    quoted_at_ms: int | None = None
    price_at_ms: int | None = None
    launch_slot: int | None = None


@dataclass(frozen=True, slots=True)
class VenueAnswer:
    """The answer of a venue: a quote, a failure, or neither if the router did not ask it."""

    venue: str
    quote: VenueQuote | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class OpenTerms:
    """The terms of an open order as they are after an event; a field that does not apply is ``None``."""

    limit_price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    expires_at: datetime | None = None
    min_amount_out: int | None = None
    mint: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The engine accepts the order. The rate limit delays it until ``starts_at``, if that is set.

    ``trace_id`` is that of the request, 32 hexadecimal digits. Orders of earlier versions have none.
    """

    status: ClassVar[Status] = Status.PENDING
    starts_at: datetime | None = None
    trace_id: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A limit or sniper order begins to wait. ``marketable``: a limit order could be filled at once."""

    status: ClassVar[Status] = Status.OPEN
    terms: OpenTerms
    marketable: bool | None = None


@dataclass(frozen=True, slots=True)
class Amended:
    """The client changes the terms of an open order: ``terms`` are the new ones, ``changes`` what differs."""

    status: ClassVar[Status] = Status.OPEN
    terms: OpenTerms
    changes: Amendment


@dataclass(frozen=True, slots=True)
class LaunchRefused:
    """A launch of the order's mint does not meet its filters; the order stays open.

    ``judged_at_ms``, ``price_at_ms`` and ``launch_slot`` are the moment and the market data of the pool's depth that
    the order was judged by; an order of an earlier version keeps none, nor does one whose pool was unavailable.
    """

    status: ClassVar[Status] = Status.OPEN
    launch: Launch
    reason: str
    judged_at_ms: int | None = None
    price_at_ms: int | None = None
    launch_slot: int | None = None


@dataclass(frozen=True, slots=True)
class PriceMovedAway:
    """The price leaves the limit between trigger and swap: the order is open again, for the ``count``-th time.

    ``code`` is the failure of the attempt; it is ``None`` if the time was up, and in orders of earlier versions.
    """

    status: ClassVar[Status] = Status.OPEN
    reason: str
    count: int
    code: FailureCode | None = None


@dataclass(frozen=True, slots=True)
class TriggeredAtEntry:
    """The order can be filled when it is accepted, or is immediate-or-cancel."""

    status: ClassVar[Status] = Status.TRIGGERED


@dataclass(frozen=True, slots=True)
class PriceTriggered:
    """The whole size can be filled on ``venue`` at a net ``price`` that meets the limit."""

    status: ClassVar[Status] = Status.TRIGGERED
    venue: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class LaunchTriggered:
    """A launch meets the filters of a sniper order."""

    status: ClassVar[Status] = Status.TRIGGERED
    launch: Launch


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """An attempt begins, or an attempt that failed gives way to the next one."""

    status: ClassVar[Status] = Status.ROUTING
    last_failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class QuotesReceived:
    """The router has the quotes of all venues and chooses one. ``answers`` are in the order of the registry."""

    status: ClassVar[Status] = Status.ROUTING
    answers: tuple[VenueAnswer, ...]
    chosen: str
    reason: str

    @property
    def is_degraded(self) -> bool:
        """True if a venue that the router asked has no usable quote."""
        return any(answer.failure for answer in self.answers)

    def quote_of(self, venue: str) -> VenueQuote | None:
        return next((answer.quote for answer in self.answers if answer.venue == venue), None)


@dataclass(frozen=True, slots=True)
class Building:
    """The processor builds the transaction for the chosen quote. ``steps`` are its instructions."""

    status: ClassVar[Status] = Status.BUILDING
    venue: str
    min_amount_out: int
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Submitted:
    """The processor is about to send the transaction with this signature."""

    status: ClassVar[Status] = Status.SUBMITTED
    venue: str
    tx_hash: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The swap landed. ``slippage_pct`` is how far the output falls short of the quote, in percent.

    ``landed_at_ms``, ``price_at_ms`` and ``launch_slot`` are as in ``VenueQuote``.
    """

    status: ClassVar[Status] = Status.CONFIRMED
    venue: str
    tx_hash: str
    amount_out: int
    executed_price: Decimal
    slippage_pct: Decimal | None = None
    landed_at_ms: int | None = None
    price_at_ms: int | None = None
    launch_slot: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The engine gives the order up."""

    status: ClassVar[Status] = Status.FAILED
    failure: Failure


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A cancel request wins over execution."""

    status: ClassVar[Status] = Status.CANCELLED


@dataclass(frozen=True, slots=True)
class Expired:
    """The order's time is up, or its only attempt missed. ``code`` is the failure of that attempt."""

    status: ClassVar[Status] = Status.EXPIRED
    reason: str | None = None
    code: FailureCode | None = None


EventData = (
    Accepted
    | Opened
    | Amended
    | LaunchRefused
    | PriceMovedAway
    | TriggeredAtEntry
    | PriceTriggered
    | LaunchTriggered
    | AttemptStarted
    | QuotesReceived
    | Building
    | Submitted
    | Confirmed
    | Failed
    | Cancelled
    | Expired
)


@dataclass(frozen=True, slots=True)
class Event:
    """A step of an order's life. ``seq`` is 1, 2, 3 ... per order; ``attempt`` counts execution attempts from 1."""

    seq: int
    attempt: int
    at: datetime
    data: EventData

    @property
    def status(self) -> Status:
        return self.data.status

    @property
    def phase(self) -> Phase:
        return PHASES[self.status]
