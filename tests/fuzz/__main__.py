"""``python -m tests.fuzz``: an hour of random requests, half of it by schemathesis, with and without ``AUTH``."""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.fuzz.fuzzing import FoundError
from tests.fuzz.schema import check_schema
from tests.fuzz.subject import a_fuzz
from tests.support.stack import StackStartError

#: Requests and sockets of a round. Each round has a seed of its own.
_REQUESTS, _SOCKETS = 2000, 200
#: Time for every phase of schemathesis on a slow machine, in seconds.
_MIN_SCHEMA_SECONDS = 120


def main() -> int:
    """Fuzz both stacks in turn; exit code 1 at the first wrong answer, whose request is printed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="how long (60)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the first round")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    answers: Counter[tuple[str, str]] = Counter()
    try:
        for auth in ("on", "off"):
            with tempfile.TemporaryDirectory() as state:
                answers += _fuzzed(auth, Path(state), arguments.minutes * 30, arguments.seed)
    except (StackStartError, FoundError) as error:
        print(f"fuzz: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    for (call, answer), number in sorted(answers.items()):
        print(f"{call:32} {answer:>8} {number:8}")
    print(f"\n{sum(answers.values())} requests, no wrong answer.")
    return 0


def _fuzzed(auth: str, state_dir: Path, seconds: float, seed: int) -> Counter[tuple[str, str]]:
    """What was sent to a stack with this ``AUTH`` in that time."""
    with a_fuzz(auth, state_dir) as fuzz:
        described_seconds = max(int(seconds / 2), _MIN_SCHEMA_SECONDS)
        print(f"AUTH={auth}, seed {seed}: schemathesis for {described_seconds} s", flush=True)
        calls = check_schema(fuzz.client.http, fuzz.client.key, seed=seed, seconds=described_seconds)
        for name, number in calls.items():
            phase, _, status = name.rpartition(" ")
            fuzz.answers[f"schemathesis {phase}", status] += number
        until = time.monotonic() + seconds / 2
        while time.monotonic() < until:
            print(f"AUTH={auth}, seed {seed}: {sum(fuzz.answers.values())} requests so far", flush=True)
            fuzz.run(_REQUESTS, _SOCKETS, seed)
            seed += 1
        return fuzz.answers


if __name__ == "__main__":
    sys.exit(main())
