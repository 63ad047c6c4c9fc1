"""Which tests pytest-xdist gives to the same worker, and what its workers begin with.

pytest-xdist has ``--dist loadgroup`` for that, which writes the groups into the names of the tests; version 3.8 does
that to an attribute that pytest 9.2 no longer reads.
"""

from typing import Any

from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

#: Modules that share what takes long to start: the stack of the e2e tests, and one PostgreSQL.
_SHARED = {
    "tests/contract/test_history.py": "postgres",
    "tests/integration/test_legacy_history.py": "postgres",
    "tests/integration/test_postgres.py": "postgres",
    "tests/e2e/test_rate_limit.py": "rate limit",
}
#: Groups by how long they take; everything else fills the gaps at the end.
_LONGEST_FIRST = ("tests/faults/test_real.py", "e2e", "rate limit", "postgres", "virtual", "infrastructure")


class SharedStacks(LoadScopeScheduling):  # type: ignore[misc]
    """Sends all tests of a group to one worker, one group after the other."""

    def __init__(self, config: Any, log: Producer | None = None) -> None:
        super().__init__(config, log)
        # The workers list the tests in the order of ``rank`` already.
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def group(nodeid: str) -> str:
    """Return the group of a test: its module, but for shared stacks and for long trials in virtual time."""
    module = nodeid.partition("::")[0]
    if module in _SHARED:
        return _SHARED[module]
    if module.startswith("tests/e2e/"):
        return "e2e"
    if module.startswith("tests/infrastructure/"):
        return "infrastructure"
    return nodeid if _is_virtual(module) else module


def rank(nodeid: str) -> int:
    """Return the place of a test's group among those that workers begin with."""
    name = "virtual" if _is_virtual(nodeid.partition("::")[0]) else group(nodeid)
    return _LONGEST_FIRST.index(name) if name in _LONGEST_FIRST else len(_LONGEST_FIRST)


def _is_virtual(module: str) -> bool:
    return module in ("tests/faults/test_virtual.py", "tests/faults/test_judging.py")
