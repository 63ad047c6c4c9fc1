"""``python -m tests.bench``: how close the engine comes to its platform's limits. It asserts no times."""

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from infra.project import ROOT
from tests.bench import calls, cold, engine, history, replayed, snipers, sustained, ticks
from tests.bench.errors import BenchError
from tests.bench.history_report import history_table
from tests.bench.report import (
    AIMS,
    Row,
    cold_rows,
    engine_json,
    engine_rows,
    overhead_rows,
    snipes_rows,
    sustained_rows,
    table,
    ticks_table,
)
from tests.bench.subject import Subject
from tests.support.stack import StackStartError, running_stack

_PARTS = ("sustained", "engine", "ticks", "snipers", "history", "cold")


def main() -> int:
    """Run the selected parts and return the exit code."""
    arguments = _arguments()
    # SIGTERM takes the stack down in the same way as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    rows: list[Row] = [("", "measured", "aim")]
    tables: list[str] = []
    results: dict[str, Any] = {
        "machine": {"cpus": os.cpu_count(), "platform": platform.platform(), "loadBefore": os.getloadavg()},
        "aims": AIMS,
    }
    try:
        if "sustained" in arguments.only:
            with _subject(sustained.ENVIRONMENT, f"sustained: {arguments.orders} orders") as subject:
                sustaining = sustained.measure(subject, arguments.orders)
            rows += sustained_rows(sustaining)
            results["sustained"] = asdict(sustaining)
        if "engine" in arguments.only:
            announced = f"engine: {arguments.rounds} x {arguments.round_orders} orders, and as many no-ops"
            with _subject(engine.ENVIRONMENT, announced) as subject:
                comparison = engine.measure(subject, arguments.round_orders, arguments.rounds)
                made = calls.count(subject)
                overhead = replayed.measure(subject, arguments.rounds)
            rows += [*engine_rows(comparison, made), *overhead_rows(overhead)]
            results |= {"engine": engine_json(comparison), "awsCalls": made, "replayed": asdict(overhead)}
        if "ticks" in arguments.only:
            with _subject(ticks.ENVIRONMENT, f"ticks: {max(ticks.CROWDS)} waiting orders at most") as subject:
                looked = ticks.measure(subject, arguments.looks)
            tables.append(ticks_table(looked))
            results["ticks"] = [asdict(one) for one in looked]
        if "snipers" in arguments.only:
            sniped = {}
            for scale in ("0", "1"):
                environment = {**snipers.ENVIRONMENT, "VENUE_TIME_SCALE": scale}
                with _subject(environment, f"snipers: venues' time x {scale}") as subject:
                    sniped[scale] = snipers.measure(subject)
            rows += snipes_rows(sniped)
            results["snipers"] = {scale: asdict(one) for scale, one in sniped.items()}
        _measure_history(arguments, tables, results)
        if "cold" in arguments.only:
            print(f"cold: {arguments.starts} starts of each kind ...", file=sys.stderr)
            started = cold.measure(arguments.project, arguments.starts)
            rows += cold_rows(started)
            results["cold"] = asdict(started)
    except (BenchError, StackStartError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    _report(rows, tables, results, arguments.json)
    return 0


def _measure_history(arguments: argparse.Namespace, tables: list[str], results: dict[str, Any]) -> None:
    """Run the part that needs no stack, if it is selected."""
    if "history" not in arguments.only:
        return
    print(f"history: {arguments.history_orders} orders, and a tenth of them ...", file=sys.stderr)
    histories = history.measure(arguments.history_orders)
    tables.append(history_table(histories))
    results["history"] = asdict(histories)


def _report(rows: list[Row], tables: list[str], results: dict[str, Any], file: Path | None) -> None:
    """Print the rows below their heading, the other tables and the results, and write the results to ``file``."""
    if len(rows) > 1:
        tables = [table(rows), *tables]
    print("\n\n".join([*tables, json.dumps(results)]))
    if file:
        file.write_text(json.dumps(results, indent=2) + "\n")


@contextmanager
def _subject(environment: Mapping[str, str], what: str) -> Iterator[Subject]:
    """Run a new stack for one part, and delete it with its data afterwards."""
    print(f"{what} ...", file=sys.stderr)
    with (
        tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory,
        running_stack(Path(directory), environment) as stack,
    ):
        yield Subject(stack)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=_PARTS, nargs="+", default=_PARTS, help="some parts alone")
    parser.add_argument("--orders", type=int, default=120, help="orders of the sustained part (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each side (%(default)s)")
    parser.add_argument("--round-orders", type=int, default=400, help="orders of a round (%(default)s)")
    parser.add_argument("--looks", type=int, default=15, help="looks at each crowd (%(default)s)")
    parser.add_argument(
        "--history-orders", type=int, default=1_000_000, help="orders of the larger history (%(default)s)"
    )
    parser.add_argument("--starts", type=int, default=11, help="cold starts of each side (%(default)s)")
    parser.add_argument("--project", type=Path, default=ROOT, help="a checkout whose cold start is measured")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    arguments = parser.parse_args()
    if arguments.orders < sustained.MIN_ORDERS:
        parser.error(f"--orders must be at least {sustained.MIN_ORDERS}")
    if min(arguments.rounds, arguments.round_orders, arguments.looks, arguments.starts) < 1:
        parser.error("--rounds, --round-orders, --looks and --starts must be at least 1")
    if arguments.history_orders < history.MIN_ORDERS:
        parser.error(f"--history-orders must be at least {history.MIN_ORDERS}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
