"""The parts of the benchmark. Each starts its own stacks, from one checkout, and returns its rows and results."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.bench import calls, cold, engine, history, memory, replayed, snipers, sustained, ticks
from tests.bench.figures import Row
from tests.bench.history_report import history_table
from tests.bench.latency import part as latency
from tests.bench.report import (
    cold_rows,
    engine_json,
    engine_rows,
    overhead_rows,
    snipes_rows,
    sustained_rows,
    ticks_table,
)
from tests.bench.streams import part as streams
from tests.bench.streams.stage import FULL, QUICK
from tests.bench.subject import Subject
from tests.support.stack import running_stack


@dataclass(frozen=True)
class Outcome:
    """What a part has found. ``faults`` break the engine's promises and make the benchmark fail."""

    rows: list[Row]
    results: dict[str, Any]
    tables: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Checkout:
    """The directory that stacks are started from, and whether it is the one of this code."""

    root: Path
    name: str
    is_own: bool

    @contextmanager
    def subject(self, environment: Mapping[str, str], what: str) -> Iterator[Subject]:
        """Run a new stack, and delete it with its data afterwards."""
        print(f"{self.name}: {what} ...", file=sys.stderr)
        with (
            tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory,
            running_stack(Path(directory), environment, root=self.root) as stack,
        ):
            yield Subject(stack, self.root)


def _sustained(checkout: Checkout, options: argparse.Namespace) -> Outcome:
    with checkout.subject(sustained.ENVIRONMENT, f"sustained: {options.orders} orders") as subject:
        found = sustained.measure(subject, options.orders)
    return Outcome(sustained_rows(found), asdict(found))


def _engine(checkout: Checkout, options: argparse.Namespace) -> Outcome:
    announced = f"engine: {options.rounds} x {options.round_orders} orders, and as many no-ops"
    with checkout.subject(engine.ENVIRONMENT, announced) as subject:
        found = engine.measure(subject, options.round_orders, options.rounds)
        # The calls are counted in this process, and so with this code.
        if not checkout.is_own:
            return Outcome(engine_rows(found, {}), {"engine": engine_json(found)})
        made, overhead = calls.count(subject), replayed.measure(subject, options.rounds)
    return Outcome(
        [*engine_rows(found, made), *overhead_rows(overhead)],
        {"engine": engine_json(found), "awsCalls": made, "replayed": asdict(overhead)},
    )


def _ticks(checkout: Checkout, options: argparse.Namespace) -> Outcome:
    with checkout.subject(ticks.ENVIRONMENT, f"ticks: {max(ticks.CROWDS)} waiting orders at most") as subject:
        found = ticks.measure(subject, options.looks)
    return Outcome([], {"ticks": [asdict(one) for one in found]}, [ticks_table(found)])


def _snipers(checkout: Checkout, _: argparse.Namespace) -> Outcome:
    found = {}
    for scale in ("0", "1"):
        environment = {**snipers.ENVIRONMENT, "VENUE_TIME_SCALE": scale}
        with checkout.subject(environment, f"snipers: venues' time x {scale}") as subject:
            found[scale] = snipers.measure(subject)
    return Outcome(snipes_rows(found), {scale: asdict(one) for scale, one in found.items()})


def _streams(checkout: Checkout, options: argparse.Namespace) -> Outcome:
    sizes = FULL if options.full else QUICK
    found: dict[str, streams.Section] = {}
    for environment, sections in streams.RUNS:
        if wanted := [section for section in sections if section in options.sections]:
            with checkout.subject(environment, f"streams: {', '.join(wanted)}") as subject:
                found |= streams.measure(subject, sizes, wanted)
    return Outcome(
        [row for section in found.values() for row in section.rows],
        {name: section.results for name, section in found.items()},
        faults=[fault for section in found.values() for fault in section.faults],
    )


def _latency(checkout: Checkout, options: argparse.Namespace) -> Outcome:
    with checkout.subject(latency.ENVIRONMENT, "aws-latency: the critical path") as subject:
        paths = latency.measure_paths(subject, options.path_orders)
    with checkout.subject(latency.SLOTS_ENVIRONMENT, f"aws-latency: {options.orders} orders in ten slots") as subject:
        shares, faults = latency.measure_shares(subject, options.orders)
    return Outcome(latency.rows(paths, shares), latency.as_json(paths, shares), faults=faults)


def _cold(checkout: Checkout, options: argparse.Namespace) -> Outcome:
    print(f"{checkout.name}: cold: {options.starts} starts of each kind ...", file=sys.stderr)
    found = cold.measure(checkout.root, options.starts)
    return Outcome(cold_rows(found), asdict(found))


def _memory(checkout: Checkout, options: argparse.Namespace) -> Outcome:
    with checkout.subject(memory.ENVIRONMENT, f"memory: {options.orders} invocations of each function") as subject:
        found = memory.measure(subject, options.orders)
    return Outcome(memory.rows(found), {name: asdict(use) for name, use in found.items()})


def _history(checkout: Checkout, options: argparse.Namespace) -> Outcome:
    print(f"{checkout.name}: history: {options.history_orders} orders, and a tenth of them ...", file=sys.stderr)
    found = history.measure(options.history_orders)
    return Outcome([], asdict(found), [history_table(found)])


#: The parts that measure a stack from outside, and so also one of another revision.
BLACK_BOX: dict[str, Callable[[Checkout, argparse.Namespace], Outcome]] = {
    "sustained": _sustained,
    "engine": _engine,
    "snipers": _snipers,
    "streams": _streams,
    "aws-latency": _latency,
    "cold": _cold,
    "memory": _memory,
}
PARTS = BLACK_BOX | {"ticks": _ticks, "history": _history}
