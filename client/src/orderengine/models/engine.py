"""What the engine says of itself and its market: health, state, statistics, tokens, tickets, market events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from orderengine.models.reading import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Token(Model):
    """A token of the registry. ``decimals`` turn its base units into human units."""

    symbol: str
    name: str
    mint: str
    decimals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens(Model):
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket(Model):
    """Opens one socket until ``expires_at``."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceAccepted(Model):
    """The engine has a pushed price. ``triggered`` counts the limit orders that it triggered at once."""

    accepted: bool
    triggered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchAccepted(Model):
    """The engine knows a launched pool; ``duplicate`` if it knew it before."""

    accepted: bool
    duplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag(Model):
    """The orders that the history does not have yet, and the time of the oldest of them."""

    behind: int
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health(Model):
    """The state of the engine and of each dependency."""

    status: str
    version: str
    dependencies: Mapping[str, str]
    history: Lag | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles(Model):
    """Milliseconds; ``None`` without orders."""

    p50: int | None
    p95: int | None
    p99: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency(Model):
    to_start: Percentiles
    quoting: Percentiles
    building: Percentiles
    landing: Percentiles
    to_end: Percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Extreme(Model):
    """Percent."""

    average: Decimal | None
    worst: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain(Model):
    """Percent."""

    average: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedLimits(Model):
    orders: int
    triggers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution(Model):
    """The quality of execution in a window of time."""

    orders: Mapping[str, int]
    failures: Mapping[str, int]
    venues: Mapping[str, int]
    retried: int
    retries: Mapping[str, int]
    missed_limits: MissedLimits
    latency_ms: Latency
    slippage_pct: Extreme
    slippage_used_pct: Extreme
    routing_gain_pct: Gain
    preview_gain_pct: Extreme


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats(Model):
    """The scorecard of a user, or of everybody. ``execution`` is ``None`` during an ``execution_outage``."""

    since: datetime
    until: datetime
    user_id: str | None
    execution: Execution | None
    execution_outage: str | None
    history: Lag | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BusySlot(Model):
    """An order that a worker executes: ``since`` its last event, and ``lease_until`` no other worker may."""

    order_id: str
    user_id: str
    type: str
    side: str
    token_in: str
    token_out: str
    amount_in: Decimal
    status: str
    attempt: int
    since: datetime
    lease_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots(Model):
    limit: int
    busy: tuple[BusySlot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCounts(Model):
    """The open orders by type."""

    limit: int
    sniper: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Model):
    """The orders that wait, by what they wait for."""

    normal: int | None
    high: int | None
    retrying: int | None
    rate_limited: int | None
    next_start_at: datetime | None
    open: OpenCounts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit(Model):
    """``per_minute`` is 0 without a limit, and ``started_last_minute`` is then ``None``."""

    per_minute: int
    started_last_minute: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetters(Model):
    dead_letters: int
    unprocessable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamQueues(Model):
    replay: int
    fan_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sockets(Model):
    """``limit_reached``: more sockets may be open than are counted."""

    open: int
    limit_reached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorVerdict(Model):
    """The last verdict of the doctor: ``ok``, ``violations``, or ``unknown`` if it could not check the history."""

    at: datetime
    status: str
    orders: int
    violations: int
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState(Model):
    """What the engine does now. A part that is ``None`` during an outage is named in ``outages``, with the reason."""

    at: datetime
    slots: Slots | None
    waiting: Waiting
    rate_limit: RateLimit | None
    dead_letters: DeadLetters | None
    queues: StreamQueues | None
    history: Lag | None
    sockets: Sockets | None
    doctor: DoctorVerdict | None
    outages: Mapping[str, str]
