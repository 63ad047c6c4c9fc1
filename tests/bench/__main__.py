"""``python -m tests.bench``: how close the engine comes to its platform's limits. It asserts no times."""

import argparse
import json
import os
import platform
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from infra.project import ROOT
from tests.bench import history, sustained
from tests.bench.base import checked_out, side_by_side
from tests.bench.errors import BenchError
from tests.bench.figures import Row
from tests.bench.parts import BLACK_BOX, PARTS, Checkout, Outcome
from tests.bench.report import AIMS, table
from tests.bench.streams.part import SECTIONS
from tests.support.stack import StackStartError


def main() -> int:
    """Run the selected parts and return the exit code."""
    options = _options()
    # SIGTERM takes the stack down in the same way as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    results: dict[str, Any] = {
        "machine": {"cpus": os.cpu_count(), "platform": platform.platform(), "loadBefore": os.getloadavg()},
        "aims": AIMS,
    }
    faults: list[str] = []
    try:
        with ExitStack() as stack:
            checkouts = [Checkout(ROOT, "now", is_own=True)]
            if options.base:
                base = stack.enter_context(checked_out(options.base))
                checkouts.insert(0, Checkout(base, "before", is_own=False))
            for name in options.only:
                outcomes = [PARTS[name](checkout, options) for checkout in checkouts]
                print("\n".join(_report(outcomes)), end="\n\n", flush=True)
                for checkout, outcome in zip(checkouts, outcomes, strict=True):
                    results.setdefault(checkout.name, {})[name] = outcome.results
                    faults += [f"{checkout.name}: {fault}" for fault in outcome.faults]
    except (BenchError, StackStartError) as error:
        faults.append(str(error))
    except KeyboardInterrupt:
        return 130
    results["machine"]["loadAfter"] = os.getloadavg()
    print(json.dumps(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    for fault in faults:
        print(f"bench: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _report(outcomes: list[Outcome]) -> Iterator[str]:
    now = outcomes[-1]
    if now.rows and len(outcomes) > 1:
        yield side_by_side(outcomes[0].rows, now.rows)
    elif now.rows:
        yield table([Row("", "measured", "aim"), *now.rows])
    yield from now.tables
    load = " / ".join(f"{one:.1f}" for one in os.getloadavg())
    yield f"Stack, clients and other programs share {os.cpu_count()} cores; load of 1 / 5 / 15 minutes: {load}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=PARTS, nargs="+", default=list(PARTS), help="some parts alone")
    parser.add_argument("--base", metavar="REVISION", help="measure this revision too, before each part")
    parser.add_argument("--orders", type=int, default=120, help="orders that fill the ten slots (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each side (%(default)s)")
    parser.add_argument("--round-orders", type=int, default=400, help="orders of a round (%(default)s)")
    parser.add_argument("--looks", type=int, default=15, help="looks at each crowd (%(default)s)")
    parser.add_argument("--path-orders", type=int, default=20, help="orders of each critical path (%(default)s)")
    parser.add_argument("--starts", type=int, default=11, help="cold starts of each side (%(default)s)")
    parser.add_argument(
        "--history-orders", type=int, default=1_000_000, help="orders of the larger history (%(default)s)"
    )
    parser.add_argument("--full", action="store_true", help="crowds of full size, which take an hour")
    parser.add_argument(
        "--sections", choices=SECTIONS, nargs="+", default=SECTIONS, help="some sections of streams alone"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    options = parser.parse_args()
    if options.orders < sustained.MIN_ORDERS:
        parser.error(f"--orders must be at least {sustained.MIN_ORDERS}")
    if min(options.rounds, options.round_orders, options.looks, options.path_orders, options.starts) < 1:
        parser.error("--rounds, --round-orders, --looks, --path-orders and --starts must be at least 1")
    if options.history_orders < history.MIN_ORDERS:
        parser.error(f"--history-orders must be at least {history.MIN_ORDERS}")
    if options.base and (own := set(options.only) - set(BLACK_BOX)):
        options.only = [name for name in options.only if name in BLACK_BOX]
        print(f"Without {', '.join(sorted(own))}, which measure this code alone.", file=sys.stderr)
    return options


if __name__ == "__main__":
    sys.exit(main())
