"""The results as a table for people and as JSON for machines."""

from collections.abc import Iterable
from dataclasses import asdict
from statistics import median
from typing import Any

from tests.bench.engine import Comparison, Round
from tests.bench.sustained import Sustained

Row = tuple[str, str, str]

AIMS = {"sustained share": 0.97, "engine to no-op": 0.6, "cpu ms an order": 8.0}


def sustained_rows(result: Sustained) -> list[Row]:
    """Part A."""
    return [
        ("Sustained, orders a minute", f"{result.per_minute:.1f}", ""),
        ("  physical limit of 10 slots", f"{result.limit_per_minute:.1f}", ""),
        ("  share of the limit", f"{result.share:.3f}", f">= {AIMS['sustained share']}"),
        ("  most orders in flight", f"{result.most_in_flight}", "10"),
        ("  venues' time an order", f"{result.mean_venue_seconds * 1000:.0f} ms", ""),
        ("  the engine's own time an order", f"{result.mean_own_seconds * 1000:.0f} ms", ""),
        ("  until the slot's next order", f"{result.mean_gap_seconds * 1000:.0f} ms", ""),
        ("  with ramp-up and drain", f"{result.whole_run_per_minute:.1f}", ""),
        (f"  orders, of them measured: {result.measured}", f"{result.orders}", ""),
    ]


def engine_rows(result: Comparison, calls: dict[str, dict[str, int]]) -> list[Row]:
    """Parts B and C; medians over the rounds."""
    engine, noop = result.engine, result.noop
    rows = [
        ("Engine, orders a second", _median(one.per_second for one in engine), ""),
        ("  no-op chain", _median(one.per_second for one in noop), ""),
        ("  engine to no-op", f"{result.ratio:.2f}", f">= {AIMS['engine to no-op']}"),
        ("  POST p50 / p95, ms", _posts(engine), ""),
        ("  no-op's POST p50 / p95, ms", _posts(noop), ""),
        ("CPU of an order, ms", _median(one.cpu_ms for one in engine), f"<= {AIMS['cpu ms an order']:.0f}"),
        ("  api handler", _median(one.api_cpu_ms for one in engine), ""),
        ("  processor", _median(one.processor_cpu_ms for one in engine), ""),
        ("  no-op, api and processor", _median(one.cpu_ms for one in noop), ""),
        ("  beside it, the emulator", _median(one.emulator_cpu_ms for one in engine), ""),
        ("  the emulator for the no-op", _median(one.emulator_cpu_ms for one in noop), ""),
        ("AWS calls of an order", str(sum(sum(made.values()) for made in calls.values())), ""),
    ]
    for step, made in calls.items():
        rows += [(f"  {step}: {operation}", str(number), "") for operation, number in sorted(made.items())]
    return rows


def table(rows: Iterable[Row]) -> str:
    """Three columns: what, measured, aim."""
    return "\n".join(f"{what:44} {measured:>14}   {aim}".rstrip() for what, measured, aim in rows)


def engine_json(result: Comparison) -> dict[str, Any]:
    """Every round as it was, and the medians."""

    def side(rounds: list[Round]) -> dict[str, Any]:
        cpu = [one.cpu_ms for one in rounds if one.cpu_ms is not None]
        return {
            "perSecond": median(one.per_second for one in rounds),
            "cpuMs": median(cpu) if cpu else None,
            "rounds": [asdict(one) for one in rounds],
        }

    return {"ratio": result.ratio, "engine": side(result.engine), "noop": side(result.noop)}


def _median(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{median(known):.1f}" if known else "unknown"


def _posts(rounds: list[Round]) -> str:
    return f"{_median(one.post_p50_ms for one in rounds)} / {_median(one.post_p95_ms for one in rounds)}"
