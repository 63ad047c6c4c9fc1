"""What holds for all tests: hypothesis' profile, which tests need a stack, and what runs beside what."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.postgres import PostgresServer, postgres_server

# A slow machine is no failure, and what CI tries is the same every time; elsewhere every run tries something new.
settings.register_profile("engine", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("engine")

TESTS = Path(__file__).parent
#: The fixtures that start a whole stack, and the group of the tests that share it.
STACKS = {"site": "faults", "stack": "e2e"}
#: What pytest-xdist starts first, because it takes longest; all other modules follow in their own order.
LONGEST_FIRST = ("faults", "e2e", "e2e/test_rate_limit", "e2e/test_operating", "postgres", "faults/", "infrastructure/")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One running PostgreSQL for all tests. A test that stops it starts it again."""
    with postgres_server() as server:
        yield server


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in the same hook
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that need a stack, and tell pytest-xdist which tests belong on one worker."""
    for item in items:
        group, needs_stack = _group_of(item)
        if needs_stack:
            item.add_marker("stack")
            # What a stack executes, it executes in other processes.
            item.add_marker("no_cover")
        if group:
            item.add_marker(pytest.mark.xdist_group(group))
    if hasattr(config, "workerinput"):
        # All workers must list the tests in one order, also those whose parameters come out of a set.
        items.sort(key=lambda item: (_rank(item), item.location[0], item.location[1] or 0, item.nodeid))


def _group_of(item: pytest.Item) -> tuple[str, bool]:
    """Return the group of tests that share what is expensive to start, and whether that is a stack.

    Without a group pytest-xdist places each test by itself.
    """
    module = item.path.relative_to(TESTS).with_suffix("").as_posix()
    fixtures: list[str] = getattr(item, "fixturenames", [])
    for fixture, group in STACKS.items():
        if fixture in fixtures:
            return group, True
    if module.startswith("e2e/"):
        # These start stacks of their own.
        return module, True
    if module in ("contract/test_history", "integration/test_postgres"):
        return "postgres", False
    return ("" if module.startswith("faults/") else module), False


def _rank(item: pytest.Item) -> int:
    group = _group_of(item)[0] or "faults/"
    return next((rank for rank, start in enumerate(LONGEST_FIRST) if _matches(group, start)), len(LONGEST_FIRST))


def _matches(group: str, start: str) -> bool:
    return group.startswith(start) if start.endswith("/") else group == start
