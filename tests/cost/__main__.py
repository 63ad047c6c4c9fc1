"""``python -m tests.cost``: measure what an order costs, and print the tables of ``docs/scaling.md``."""

import argparse
import sys

from tests.cost import documents, recorded
from tests.cost.measurement import cpu_milliseconds, measured, postgres_bytes_per_order
from tests.cost.tables import tables


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cost", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the tables into docs/scaling.md")
    parser.add_argument("--machine", action="store_true", help="measure CPU time and Postgres again, and keep them")
    options = parser.parse_args()
    if options.machine:
        print("Measuring CPU time and the size of Postgres ...", file=sys.stderr)
        recorded.write(cpu_milliseconds(), postgres_bytes_per_order())
    print("Measuring one order of each kind ...", file=sys.stderr)
    found = tables(measured())
    for name, text in found.items():
        print(f"## {name}\n\n{text}\n")
    if options.write:
        documents.write("cost", found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
