"""The results as a table for people and as JSON for programs."""

from collections.abc import Iterable
from dataclasses import asdict
from statistics import median
from typing import Any

from tests.bench.cold import ColdStarts
from tests.bench.engine import Comparison, Round
from tests.bench.figures import Row
from tests.bench.replayed import Overhead
from tests.bench.snipers import Snipe, Snipes
from tests.bench.sustained import Sustained
from tests.bench.ticks import TRIGGERED, Ticks

AIMS = {
    "sustained share": 0.97,
    "engine to no-op": 0.6,
    "cpu ms an order": 8.0,
    "cpu to bare calls": 1.25,
    "look to the first": 1.2,
    "launch to submitted, ms": 1000.0,
    "cold start, cpu ms": 300.0,
    "cold start to bare": 1.3,
}


def sustained_rows(result: Sustained) -> list[Row]:
    """The rows of part A."""
    rows = [
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
    return [Row(*row) for row in rows]


def engine_rows(result: Comparison, calls: dict[str, dict[str, int]]) -> list[Row]:
    """The rows of parts B and C: medians over the rounds."""
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
    return [Row(*row) for row in rows]


def overhead_rows(result: Overhead) -> list[Row]:
    """The rows of part C about CPU: medians over the rounds."""
    rows: list[Row] = []
    for step in ("submit", "execute", "both"):
        ratio = f"{result.ratio(step):.2f}"
        rows += [
            Row(f"CPU of {step} to a loop of its AWS calls", ratio, f"<= {AIMS['cpu to bare calls']}"),
            Row("  engine, ms", _median(getattr(result.engine, step)), ""),
            Row("  loop, ms", _median(getattr(result.bare, step)), ""),
        ]
    return rows


def ticks_table(results: list[Ticks]) -> str:
    """The table of part D, one column per crowd: medians over the rounds, and medians of the rounds' ratios."""
    first = results[0]
    rows = [(f"A look that triggers {TRIGGERED}; wait elsewhere", [f"{one.waiting:,}" for one in results])]
    for measure, what in (("wall_ms", "wall, ms"), ("cpu_ms", "the engine's CPU, ms")):
        rows.append((f"  {what}", [f"{one.median(measure):.1f}" for one in results]))
        ratios = [f"{one.ratio(first, measure):.2f}" for one in results]
        rows.append((f"    to the first, aim <= {AIMS['look to the first']}", ratios))
    rows.append(("  AWS calls", [str(sum(one.calls.values())) for one in results]))
    for operation in sorted(first.calls):
        rows.append((f"    {operation}", [str(one.calls.get(operation, 0)) for one in results]))
    rows.append(("  items read by queries", [f"{one.median('read'):.0f}" for one in results]))
    return "\n".join(f"{what:44}" + "".join(f"{value:>10}" for value in values) for what, values in rows)


def snipes_rows(results: dict[str, Snipes]) -> list[Row]:
    """The rows of part E in milliseconds, for each scale of the venue latencies."""
    aim = f"<= {AIMS['launch to submitted, ms']:.0f}"
    rows: list[tuple[str, str, str]] = []
    for scale, result in results.items():
        rows += [(f"Launch to submitted, ms, venues' time x {scale}", "", "")]
        for what, snipes, names in (
            (f"{len(result.alone)} one at a time", result.alone, "best / median / worst"),
            (f"{len(result.together)} on one launch", result.together, "first / median / last"),
        ):
            engine = [one.engine - one.venues for one in snipes]
            rows += [
                (f"  {what}", names, ""),
                ("    engine, without the venues", _spread(engine), aim if snipes is result.alone else ""),
                ("      until triggered", _spread(_each(snipes, "triggered")), ""),
                ("    venues' quotes", _spread(_each(snipes, "venues")), ""),
                ("    as the client sees it", _spread(_each(snipes, "client")), ""),
            ]
    return [Row(*row) for row in rows]


def cold_rows(result: ColdStarts) -> list[Row]:
    """The rows of part F: medians over the starts."""
    rows: list[Row] = []
    for kind, starts in result.kinds.items():
        rows += [
            Row(f"Cold start of {kind}, CPU ms", _median(starts.engine), f"<= {AIMS['cold start, cpu ms']:.0f}"),
            Row("  bare dependencies", _median(starts.bare), ""),
            Row("  engine to bare", f"{starts.ratio:.2f}", f"<= {AIMS['cold start to bare']}"),
        ]
    return [*rows, Row("  package, zipped / unpacked, MB", f"{result.zip_mb:.1f} / {result.unpacked_mb:.1f}", "")]


def _each(snipes: list[Snipe], measure: str) -> list[float]:
    return [float(getattr(one, measure)) for one in snipes]


def _spread(values: list[float]) -> str:
    return f"{min(values):.0f} / {median(values):.0f} / {max(values):.0f}"


def table(rows: Iterable[Row]) -> str:
    """The rows as text in three columns: measure, result, aim."""
    return "\n".join(f"{what:54} {measured:>24}   {aim}".rstrip() for what, measured, aim in rows)


def engine_json(result: Comparison) -> dict[str, Any]:
    """Every round, and the medians over the rounds."""

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
