"""``python -m tests.scale``: the simulation beside the engine, and then at other scales."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.bench.errors import BenchError
from tests.bench.subject import Subject
from tests.cost import documents
from tests.scale import against_kit, against_stack, scales
from tests.scale.figures import TOLERANCE, Compared, report
from tests.support.stack import StackStartError, running_stack


def main() -> int:
    """Compare and print; the exit code is 1 if a figure differs by more than the tolerance."""
    parser = argparse.ArgumentParser(prog="python -m tests.scale", description=__doc__)
    parser.add_argument("--no-stack", action="store_true", help="compare with the engine in virtual time alone")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/scaling.md")
    options = parser.parse_args()
    in_kit = report(kit := against_kit.compare())
    print(f"The engine in virtual time, and the simulation:\n\n{in_kit}\n", flush=True)
    rows, found = kit, {"kit": in_kit, **scales.tables()}
    if not options.no_stack:
        try:
            on_stack, found["stack"] = _against_stack()
        except (BenchError, StackStartError) as error:
            print(f"simulate: {error}", file=sys.stderr)
            return 1
        print(f"{found['stack']}\n", flush=True)
        rows = [*kit, *on_stack]
    for text in [found[name] for name in ("loads", "burst", "launches", "limited")]:
        print(f"{text}\n")
    if options.write:
        documents.write("simulate", documents.places("simulate") | found)
    far = [row.name for row in rows if not row.agrees]
    for name in far:
        print(f"simulate: {name} differs by more than {TOLERANCE:.0%}", file=sys.stderr)
    return 1 if far else 0


def _against_stack() -> tuple[list[Compared], str]:
    print("A stack of this machine, for about four minutes ...", file=sys.stderr)
    before = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="scale-", ignore_cleanup_errors=True) as directory,
        running_stack(Path(directory), against_stack.ENVIRONMENT) as stack,
    ):
        setup, rows = against_stack.compare(Subject(stack))
    own, gap = setup.build * 1000, setup.gap * 1000
    head = (
        f"Calibrated on a burst of 60: {own:.0f} ms of its own an order, {gap:.0f} ms between two orders of a slot. "
        f"{os.cpu_count()} cores; the load was {before:.1f} before and {os.getloadavg()[0]:.1f} after."
    )
    return rows, f"{head}\n\n{report(rows)}"


if __name__ == "__main__":
    sys.exit(main())
