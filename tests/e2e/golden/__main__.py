"""Plays the session, and compares it with the golden session or replaces that.

python -m tests.e2e.golden                    compare, on a new local stack
python -m tests.e2e.golden --record           write session.json
python -m tests.e2e.golden --endpoints FILE   use the running stack with that endpoints.json
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from tests.e2e.client import Json
from tests.e2e.conftest import STACK_SETTINGS
from tests.e2e.golden.compare import differences, report
from tests.e2e.golden.session import play
from tests.e2e.golden.storage import load, save
from tests.support.stack import running_stack


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.golden")
    parser.add_argument("--record", action="store_true", help="write the result as the golden session")
    parser.add_argument("--endpoints", type=Path, help="the endpoints.json of a running stack")
    options = parser.parse_args()
    if options.endpoints:
        session = _timed(json.loads(options.endpoints.read_text()))
    else:
        with tempfile.TemporaryDirectory() as state_dir, running_stack(Path(state_dir), STACK_SETTINGS) as stack:
            session = _timed(stack.endpoints)
    if options.record:
        save(session)
        print(f"{len(session)} steps recorded.")
        return 0
    found = differences(load(), session)
    print(report(found))
    return 1 if found else 0


def _timed(endpoints: dict[str, str]) -> list[Json]:
    begun = time.monotonic()
    session = play(endpoints["http"], endpoints["ws"], endpoints["websocket"])
    print(f"Played in {time.monotonic() - begun:.0f} s.")
    return session


if __name__ == "__main__":
    sys.exit(main())
