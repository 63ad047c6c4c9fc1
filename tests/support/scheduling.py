"""The groups of tests that pytest-xdist sends to one worker, and the groups that workers run first.

pytest-xdist's own ``--dist loadgroup`` does not work here: it writes the groups into the names of the tests, and
version 3.8 writes to an attribute that pytest 9.2 no longer reads.
"""

from typing import Any

from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

#: Groups of modules that share a PostgreSQL server, and of those with stacks of their own.
_SHARED = {
    "tests/contract/test_history.py": "postgres",
    "tests/integration/test_legacy_history.py": "postgres",
    "tests/integration/test_postgres.py": "postgres",
    "tests/e2e/test_rate_limit.py": "rate limit",
}
#: Groups by duration, longest first; all other groups follow and fill the gaps at the end.
_LONGEST_FIRST = (
    "tests/faults/test_real.py",
    "tests/faults/test_kills.py",
    "e2e",
    "e2e locked",
    "locks",
    "rate limit",
    "postgres",
    "virtual",
    "infrastructure",
)


class SharedStacks(LoadScopeScheduling):  # type: ignore[misc]
    """Send all tests of a group to one worker, one group after the other."""

    def __init__(self, config: Any, log: Producer | None = None) -> None:
        super().__init__(config, log)
        # The workers list the tests in the order of ``rank`` already.
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def group(nodeid: str) -> str:
    """Return the group of a test: its module, except for shared servers and for trials in virtual time."""
    module = nodeid.partition("::")[0]
    if module in _SHARED:
        return _SHARED[module]
    if module.startswith("tests/e2e/"):
        return "e2e locked" if "[locked" in nodeid else "e2e"
    if module.startswith("tests/locks/"):
        return "locks"
    if module.startswith("tests/infrastructure/"):
        return "infrastructure"
    return nodeid if _is_virtual(module) else module


def rank(nodeid: str) -> int:
    """Return the position of a test's group in the sequence that workers run."""
    name = "virtual" if _is_virtual(nodeid.partition("::")[0]) else group(nodeid)
    return _LONGEST_FIRST.index(name) if name in _LONGEST_FIRST else len(_LONGEST_FIRST)


def _is_virtual(module: str) -> bool:
    return module in ("tests/faults/test_virtual.py", "tests/faults/test_judging.py")
