"""An explanation as plain data. Amounts are in base units, as everywhere in the engine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from chalicelib.domain.events import Event, VenueAnswer
from chalicelib.domain.failures import Failure
from chalicelib.domain.orders import Order
from chalicelib.routing.choice import RoutingRule
from chalicelib.services.orders.replay import ReplayReport


@dataclass(frozen=True, slots=True)
class Step:
    """An event in words. ``duration_ms`` is the time to the next event, ``None`` for the last."""

    event: Event
    since_accepted_ms: int
    duration_ms: int | None
    text: str


@dataclass(frozen=True, slots=True)
class VenuePart:
    """A venue's part in a decision. ``arithmetic`` computes the output of its quote."""

    answer: VenueAnswer
    arithmetic: str | None


@dataclass(frozen=True, slots=True)
class RoutingGain:
    """What the chosen venue returns more than ``against``, the best of the others. Negative in favour of that one."""

    against: str
    amount_out: int
    pct: Decimal


@dataclass(frozen=True, slots=True)
class Decision:
    """A routing decision. ``rule`` is ``None`` if the rules of today choose another venue than the order did.

    ``margin_pct`` is as in ``Choice``; ``min_amount_out`` is the least output that the order accepted then.
    """

    event: Event
    chosen: str
    rule: RoutingRule | None
    margin_pct: Decimal | None
    reason: str
    min_amount_out: int | None
    venues: Sequence[VenuePart]
    gain: RoutingGain | None


class Outcome(StrEnum):
    """How an attempt ended, if it did."""

    RUNNING = "running"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    RETRIED = "retried"
    REOPENED = "reopened"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A round of quote, build and send, with its events. Rounds of a limit order that missed share a number.

    ``error`` is what ended it, and ``handling`` what the engine did about that.
    """

    number: int
    events: Sequence[Event]
    outcome: Outcome
    error: Failure | None = None
    handling: str | None = None

    @property
    def ended_at(self) -> datetime | None:
        return None if self.outcome is Outcome.RUNNING else self.events[-1].at


class Change(StrEnum):
    """What a counterfactual changes: a term of the order, or the moment."""

    SLIPPAGE = "slippagePct"
    LIMIT_PRICE = "limitPrice"
    AMOUNT_IN = "amountIn"
    MOMENT = "moment"
    MIN_LIQUIDITY = "minLiquidity"
    MAX_PRICE = "maxPrice"
    VENUE = "venue"


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """What would have filled the order. An amount is in human units, a slippage in percent.

    ``is_exact``: it is certain from the market as it was. Else it is likely, or it was enough for a moment only.
    """

    change: Change
    value: Decimal | str | datetime
    is_exact: bool
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """``decision`` is the routing decision that the outcome rests on, the last one."""

    order: Order
    summary: str
    story: Sequence[Step]
    attempts: Sequence[Attempt]
    decisions: Sequence[Decision]
    counterfactuals: Sequence[Counterfactual]
    replay: ReplayReport

    @property
    def decision(self) -> Decision | None:
        return self.decisions[-1] if self.decisions else None
