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
#: The groups that start first, the longest before the shorter ones; all others follow and fill the gaps at the end.
#: The trials of kills judge how soon orders recover, so they begin beside the rate limit, which mostly waits.
_FIRST = (
    "tests/faults/test_kills.py",
    "rate limit",
    "tests/faults/test_real.py",
    "e2e",
    "e2e locked",
    "locks",
    "ui",
    "fuzz locked",
    "fuzz",
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
    if module.startswith("tests/fuzz/"):
        return "fuzz locked" if "[locked" in nodeid else "fuzz"
    if module.startswith("tests/locks/"):
        return "locks"
    if module.startswith("tests/infrastructure/"):
        return "infrastructure"
    if module.startswith("tests/ui/"):
        return "ui"
    return nodeid if is_virtual(nodeid) else module


def rank(nodeid: str) -> int:
    """Return the position of a test's group in the sequence that workers run."""
    name = "virtual" if is_virtual(nodeid) else group(nodeid)
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


def is_virtual(nodeid: str) -> bool:
    """Return whether a test runs trials in virtual time."""
    return nodeid.partition("::")[0] in ("tests/faults/test_virtual.py", "tests/faults/test_judging.py")
