"""``python -m tests.faults``: every trial in its long form, and a table of the results."""

import argparse
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from tests.faults.effort import LONG, SHORT
from tests.faults.result import HEADER, Result, row
from tests.faults.stack_under_test import a_stack_under_test
from tests.faults.trials import OWN, REAL, VIRTUAL
from tests.support.stack import StackStartError


def main() -> int:
    """Run the selected trials; return exit code 1 if any of them found a violation."""
    arguments = _arguments()
    # SIGTERM stops the stack as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.disable(logging.CRITICAL)
    effort = SHORT if arguments.short else LONG
    wanted = set(arguments.trials) or _NAMES
    violations: list[str] = []
    print(HEADER, flush=True)
    try:
        with ExitStack() as stack:
            real = [trial for trial in REAL if trial.__name__ in wanted]
            site = stack.enter_context(a_stack_under_test()) if real else None
            trials: list[Callable[[], Result]] = [
                *(partial(trial, effort) for trial in VIRTUAL if trial.__name__ in wanted),
                *(partial(trial, site, effort) for trial in real if site),
            ]
            for trial in trials:
                violations += _run(trial)
        for own in OWN:
            if own.__name__ in wanted:
                violations += _run(partial(own, effort))
    except StackStartError as error:
        print(f"faults: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print("\n".join(["", *violations]) if violations else "\nNo violations.")
    return 1 if violations else 0


def _run(trial: Callable[[], Result]) -> list[str]:
    result = trial()
    print(row(result), flush=True)
    return [f"{result.name}: {violation}" for violation in result.violations]


_NAMES = {trial.__name__ for trial in (*VIRTUAL, *REAL, *OWN)}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("trials", nargs="*", metavar="TRIAL", help=f"all, or some of: {', '.join(sorted(_NAMES))}")
    parser.add_argument("--short", action="store_true", help="as CI runs them")
    arguments = parser.parse_args()
    if unknown := set(arguments.trials) - _NAMES:
        parser.error(f"no such trial: {', '.join(sorted(unknown))}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
