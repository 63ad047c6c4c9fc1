"""The order as the fold of its events: only ``apply`` changes it."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from chalicelib.domain.conditions import (
    MAX_MISSES_WITHOUT_PAUSE,
    MAX_STORED_REFUSALS,
    Amendment,
    LaunchedPool,
    TimeInForce,
)
from chalicelib.domain.errors import IllegalTransitionError, SeqBeyondEndError
from chalicelib.domain.events import (
    Accepted,
    Amended,
    Building,
    Confirmed,
    Event,
    EventData,
    Failed,
    LaunchRefused,
    LaunchTriggered,
    Opened,
    OpenTerms,
    PriceMovedAway,
    QuotesReceived,
    Submitted,
)
from chalicelib.domain.failures import FailureCode
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import PHASES, TERMINAL, Phase, Status, may_follow


@dataclass(frozen=True, slots=True)
class Order:
    """An order after its events. Amounts are in base units; a field that no event has set is ``None``.

    ``spec`` includes the amendments; ``unamended_spec`` is what it was before the first one. ``expires_at`` ends an
    open order, ``wait_reason`` is why it is still open. ``missed_triggers`` counts how often the price moved away
    between trigger and swap, last at ``last_missed_at``. ``launched_in`` is the pool whose launch triggered a sniper
    order.
    """

    order_id: str
    spec: OrderSpec
    status: Status | None = None
    attempts: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None
    events: tuple[Event, ...] = ()
    quotes: QuotesReceived | None = None
    venue: str | None = None
    min_amount_out: int | None = None
    tx_hash: str | None = None
    amount_out: int | None = None
    executed_price: Decimal | None = None
    fail_code: FailureCode | None = None
    fail_reason: str | None = None
    expires_at: datetime | None = None
    wait_reason: str | None = None
    missed_triggers: int = 0
    last_missed_at: datetime | None = None
    launched_in: LaunchedPool | None = None
    #: Does not compare: a message of an earlier version has the amended specification alone.
    unamended_spec: OrderSpec | None = field(default=None, compare=False)

    @classmethod
    def accepted(
        cls,
        order_id: str,
        spec: OrderSpec,
        at: datetime,
        starts_at: datetime | None = None,
        trace_id: str | None = None,
    ) -> Self:
        """A new order with its first event."""
        return cls(order_id, spec).after(Accepted(starts_at, trace_id), at)

    @classmethod
    def replayed(cls, order_id: str, spec: OrderSpec, events: tuple[Event, ...]) -> Self:
        """The order that results from these events.

        :raises IllegalTransitionError: if an event may not follow the one before it.
        """
        order = cls(order_id, spec)
        for event in events:
            order = order.apply(event)
        return order

    @property
    def seq(self) -> int:
        return len(self.events)

    @property
    def trace_id(self) -> str | None:
        """The id that follows the order from its request; ``None`` for an order of an earlier version."""
        first = self.events[0].data if self.events else None
        return first.trace_id if isinstance(first, Accepted) else None

    @property
    def placed_spec(self) -> OrderSpec:
        """The specification that the client placed, from which the events lead to ``spec``."""
        return self.unamended_spec or self.spec

    def at_seq(self, seq: int) -> Self:
        """The order as it was after event ``seq``, which is 1 or more.

        :raises SeqBeyondEndError: if the order has fewer events.
        """
        if seq > self.seq:
            raise SeqBeyondEndError(self.seq)
        return self.replayed(self.order_id, self.placed_spec, self.events[:seq])

    @property
    def phase(self) -> Phase:
        return PHASES[self.current_status]

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL

    def is_expired(self, at: datetime) -> bool:
        """True if the expiry of an order that is not terminal has passed."""
        return self.expires_at is not None and at >= self.expires_at and not self.is_terminal

    def was_refused(self, launch_id: str) -> bool:
        """True if the order's filters have refused this launch."""
        return any(
            isinstance(event.data, LaunchRefused) and event.data.launch.id == launch_id for event in self.events
        )

    @property
    def stores_refusals(self) -> bool:
        """True if the order takes another event of a launch that it refuses."""
        return sum(isinstance(event.data, LaunchRefused) for event in self.events) < MAX_STORED_REFUSALS

    @property
    def amendments(self) -> int:
        """How often the owner has amended the order."""
        return sum(isinstance(event.data, Amended) for event in self.events)

    @property
    def current_status(self) -> Status:
        """The status of an order that has events.

        :raises IllegalTransitionError: for an order without events.
        """
        if self.status is None:
            raise IllegalTransitionError(f"order {self.order_id} has no events")
        return self.status

    def after(self, data: EventData, at: datetime, *, next_attempt: bool = False) -> Self:
        """The order after its next event, which begins a new attempt if ``next_attempt`` is set."""
        attempt = self.attempts + 1 if next_attempt else self.attempts
        return self.apply(Event(self.seq + 1, attempt, at, data))

    def apply(self, event: Event) -> Self:
        """The order after this event.

        :raises IllegalTransitionError: if the status may not follow, or ``seq`` or ``attempt`` is out of turn.
        """
        in_turn = event.seq == self.seq + 1 and event.attempt in (self.attempts, self.attempts + 1)
        if not in_turn or not may_follow(self.spec.type, self.status, event.status):
            raise IllegalTransitionError(
                f"order {self.order_id}: {event.status} ({event.seq}) may not follow {self.status} ({self.seq})"
            )
        return replace(
            self,
            status=event.status,
            attempts=event.attempt,
            created_at=self.created_at or event.at,
            updated_at=event.at,
            events=(*self.events, event),
            **_changes(self, event),
        )


#: A prepared transaction and a reason to wait are void once the order takes another path.
_RESET: dict[str, Any] = {"venue": None, "tx_hash": None, "wait_reason": None}


def _changes(order: Order, event: Event) -> dict[str, Any]:  # noqa: C901 - one case per kind of event
    """The fields of the order that the event's data sets, beside those that every event sets."""
    match event.data:
        case Opened(terms=terms):
            return _RESET | _from_terms(order, terms)
        case Amended(terms=terms, changes=changes):
            # A client cannot amend what a launch is judged by, so the last refusal still holds.
            reason = order.wait_reason if order.spec.launch else None
            amended = {
                "spec": _amended(order.spec, changes),
                "unamended_spec": order.placed_spec,
                "wait_reason": reason,
            }
            # New terms may trigger at once, unless the order has missed too often.
            pauses_from = order.last_missed_at if order.missed_triggers >= MAX_MISSES_WITHOUT_PAUSE else None
            return _RESET | _from_terms(order, terms) | amended | {"last_missed_at": pauses_from}
        case LaunchRefused(reason=reason):
            return _RESET | {"wait_reason": reason}
        case PriceMovedAway(reason=reason, count=count):
            return _RESET | {"wait_reason": reason, "missed_triggers": count, "last_missed_at": event.at}
        case LaunchTriggered(launch=launch):
            return _RESET | {"launched_in": launch.opened}
        case QuotesReceived():
            return _RESET | {"quotes": event.data}
        case Building(venue=venue, min_amount_out=min_amount_out):
            return {"venue": venue, "min_amount_out": min_amount_out}
        case Submitted(venue=venue, tx_hash=tx_hash):
            return {"venue": venue, "tx_hash": tx_hash}
        case Confirmed(venue=venue, tx_hash=tx_hash, amount_out=amount_out, executed_price=price):
            return {"venue": venue, "tx_hash": tx_hash, "amount_out": amount_out, "executed_price": price}
        case Failed(failure=failure):
            return _RESET | {"fail_code": failure.code, "fail_reason": failure.reason}
        case _:
            return _RESET


def _from_terms(order: Order, terms: OpenTerms) -> dict[str, Any]:
    return {
        "expires_at": terms.expires_at or order.expires_at,
        "min_amount_out": order.min_amount_out if terms.min_amount_out is None else terms.min_amount_out,
    }


def _amended(spec: OrderSpec, changes: Amendment) -> OrderSpec:
    return replace(
        spec,
        limit_price=spec.limit_price if changes.limit_price is None else changes.limit_price,
        slippage_bps=spec.slippage_bps if changes.slippage_bps is None else changes.slippage_bps,
        time_in_force=TimeInForce.GTD if changes.expires_at else spec.time_in_force,
        expires_at=changes.expires_at or spec.expires_at,
    )
