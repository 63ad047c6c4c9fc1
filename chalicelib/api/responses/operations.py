"""Answers about the market and the engine itself: tokens, market events, stats and health."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TypedDict

from chalicelib.codec.times import to_text
from chalicelib.domain.tokens import Token
from chalicelib.ports.history import ExecutionQuality, Percentiles
from chalicelib.ports.orders import HistoryLag
from chalicelib.services.operations.health import Health
from chalicelib.services.operations.stats import Stats


class TokenBody(TypedDict):
    symbol: str
    name: str
    mint: str
    decimals: int


class TokensBody(TypedDict):
    tokens: list[TokenBody]


class PriceAcceptedBody(TypedDict):
    """``triggered`` counts the orders that the price triggered at once."""

    accepted: bool
    triggered: int


class LaunchAcceptedBody(TypedDict):
    """``duplicate``: the launch was announced before, and has no effect."""

    accepted: bool
    duplicate: bool


class LagBody(TypedDict):
    """Terminal orders that the history lacks, counted up to 1000, and when the oldest of them was accepted."""

    behind: int
    since: str | None


class HealthBody(TypedDict):
    status: str
    version: str
    dependencies: dict[str, str]
    history: LagBody | None


class PercentilesBody(TypedDict):
    """Whole milliseconds."""

    p50: int | None
    p95: int | None
    p99: int | None


class LatencyBody(TypedDict):
    """Time of confirmed orders in each stage.

    ``toStart`` and ``toEnd``: of market orders, from acceptance to the first attempt and to the end. The others: of
    the attempt that filled an order; the quoting of a retry, which begins with a pause, is left out.
    """

    toStart: PercentilesBody
    quoting: PercentilesBody
    building: PercentilesBody
    landing: PercentilesBody
    toEnd: PercentilesBody


class MissedLimitsBody(TypedDict):
    """Triggers after which the price moved away before the swap, and the limit orders that had one."""

    orders: int
    triggers: int


class ExtremeBody(TypedDict):
    average: Decimal | None
    worst: Decimal | None


class GainBody(TypedDict):
    average: Decimal | None


class ExecutionBody(TypedDict):
    """Counts by status, failure code, venue and code of a retry; latencies; percentages of confirmed orders.

    ``slippagePct``: how far the output is below the quote traded on. ``slippageUsedPct``: its part of the room
    between that quote and the minimum output, from 0 to 100. ``routingGainPct``: the advantage of the best quote over
    the worst. ``previewGainPct``: how much more the order returned than its first chosen quote, which is that
    of a preview at that moment.
    """

    orders: Mapping[str, int]
    failures: Mapping[str, int]
    venues: Mapping[str, int]
    retried: int
    retries: Mapping[str, int]
    missedLimits: MissedLimitsBody
    latencyMs: LatencyBody
    slippagePct: ExtremeBody
    slippageUsedPct: ExtremeBody
    routingGainPct: GainBody
    previewGainPct: ExtremeBody


class StatsBody(TypedDict):
    """``execution`` covers the orders accepted from ``since`` to ``until``: the window, or its newest orders.

    They are those of the user, or of all users if ``userId`` is null. If ``execution`` is null, ``executionOutage``
    is ``TOO_SLOW`` or ``UNAVAILABLE``. ``history`` is null for a caller without the scope ``operate``.
    """

    since: str
    until: str
    userId: str | None
    execution: ExecutionBody | None
    executionOutage: str | None
    history: LagBody | None


def tokens_body(tokens: Iterable[Token]) -> TokensBody:
    return {
        "tokens": [
            {"symbol": token.symbol, "name": token.name, "mint": token.mint, "decimals": token.decimals}
            for token in tokens
        ]
    }


def price_accepted_body(triggered: int) -> PriceAcceptedBody:
    return {"accepted": True, "triggered": triggered}


def launch_accepted_body(*, is_new: bool) -> LaunchAcceptedBody:
    return {"accepted": True, "duplicate": not is_new}


def health_body(health: Health, version: str) -> HealthBody:
    return {
        "status": "ok" if health.is_complete else "degraded" if health.can_trade else "down",
        "version": version,
        "dependencies": {name: "ok" if answers else "down" for name, answers in health.dependencies.items()},
        "history": None if health.lag is None else lag_body(health.lag),
    }


def stats_body(stats: Stats) -> StatsBody:
    return {
        "since": to_text(stats.since),
        "until": to_text(stats.until),
        "userId": stats.user_id,
        "execution": None if stats.execution is None else execution_body(stats.execution),
        "executionOutage": stats.outage,
        "history": None if stats.lag is None else lag_body(stats.lag),
    }


def lag_body(lag: HistoryLag) -> LagBody:
    return {"behind": lag.orders, "since": to_text(lag.since) if lag.since else None}


def execution_body(quality: ExecutionQuality) -> ExecutionBody:
    return {
        "orders": quality.orders,
        "failures": quality.failures,
        "venues": quality.venues,
        "retried": quality.retried,
        "retries": quality.retries,
        "missedLimits": {"orders": quality.missed_orders, "triggers": quality.missed_triggers},
        "latencyMs": {
            "toStart": _percentiles(quality.to_start),
            "quoting": _percentiles(quality.quoting),
            "building": _percentiles(quality.building),
            "landing": _percentiles(quality.landing),
            "toEnd": _percentiles(quality.to_end),
        },
        "slippagePct": {"average": quality.average_slippage, "worst": quality.worst_slippage},
        "slippageUsedPct": {"average": quality.average_slippage_used, "worst": quality.worst_slippage_used},
        "routingGainPct": {"average": quality.average_routing_gain},
        "previewGainPct": {"average": quality.average_preview_gain, "worst": quality.worst_preview_gain},
    }


def _percentiles(latency: Percentiles) -> PercentilesBody:
    return {"p50": latency.p50, "p95": latency.p95, "p99": latency.p99}
