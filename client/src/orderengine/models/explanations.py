"""Why an order went as it did, and what would have filled it."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from orderengine.models.quotes import Failure, Quote
from orderengine.models.reading import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Model):
    """An event in plain words."""

    seq: int
    attempt: int
    at: datetime
    since_accepted_ms: int
    duration_ms: int | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueQuote(Model):
    """The quote of a venue with its arithmetic, or why it has none."""

    venue: str
    quote: Quote | None
    failure: Failure | None
    arithmetic: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingGain(Model):
    """What the chosen venue gives more than the next best one."""

    against: str
    amount_out: Decimal
    amount_out_base: Decimal
    pct: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Model):
    """A choice between the venues and the rule that decided it."""

    seq: int
    attempt: int
    at: datetime
    chosen: str
    rule: str | None
    margin_pct: Decimal | None
    reason: str
    min_amount_out: Decimal | None
    min_amount_out_base: Decimal | None
    venues: tuple[VenueQuote, ...]
    gain: RoutingGain | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt(Model):
    attempt: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    decisions: tuple[Decision, ...]
    error: Failure | None
    handling: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual(Model):
    """A change that would have filled the order. ``basis`` is ``exact`` or ``estimate``."""

    change: str
    value: Any
    basis: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference(Model):
    seq: int
    field: str
    kept: str
    computed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay(Model):
    """Whether the values that an order keeps are computed the same again."""

    matches: bool
    checked: int
    unknown: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(Model):
    """The story of an order."""

    id: str = field(metadata={Model.WIRE: "orderId"})
    status: str
    phase: str
    seq: int
    summary: str
    story: tuple[Step, ...]
    attempts: tuple[Attempt, ...]
    decision: Decision | None
    counterfactuals: tuple[Counterfactual, ...]
    replay: Replay
