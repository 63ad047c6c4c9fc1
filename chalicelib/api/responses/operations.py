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
    toStart: PercentilesBody
    toEnd: PercentilesBody


class SlippageBody(TypedDict):
    average: Decimal | None
    worst: Decimal | None


class GainBody(TypedDict):
    average: Decimal | None


class ExecutionBody(TypedDict):
    """Counts by status, failure code and venue; latencies of confirmed market orders; percentages."""

    orders: Mapping[str, int]
    failures: Mapping[str, int]
    venues: Mapping[str, int]
    retried: int
    latencyMs: LatencyBody
    slippagePct: SlippageBody
    routingGainPct: GainBody


class StatsBody(TypedDict):
    """``execution`` covers the orders accepted since ``since``: the last day, or its newest orders.

    If it is null, ``executionOutage`` is ``TOO_SLOW`` or ``UNAVAILABLE``.
    """

    since: str
    execution: ExecutionBody | None
    executionOutage: str | None
    history: LagBody


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
        "execution": None if stats.execution is None else execution_body(stats.execution),
        "executionOutage": stats.outage,
        "history": lag_body(stats.lag),
    }


def lag_body(lag: HistoryLag) -> LagBody:
    return {"behind": lag.orders, "since": to_text(lag.since) if lag.since else None}


def execution_body(quality: ExecutionQuality) -> ExecutionBody:
    return {
        "orders": quality.orders,
        "failures": quality.failures,
        "venues": quality.venues,
        "retried": quality.retried,
        "latencyMs": {"toStart": _percentiles(quality.to_start), "toEnd": _percentiles(quality.to_end)},
        "slippagePct": {"average": quality.average_slippage, "worst": quality.worst_slippage},
        "routingGainPct": {"average": quality.average_routing_gain},
    }


def _percentiles(latency: Percentiles) -> PercentilesBody:
    return {"p50": latency.p50, "p95": latency.p95, "p99": latency.p99}
