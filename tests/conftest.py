"""What holds for all tests: hypothesis' profile, one PostgreSQL, and which tests need a running stack."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.support.postgres import PostgresServer, postgres_server
from tests.support.scheduling import SharedStacks, rank

# A slow machine is no failure, and what CI tries is the same every time; elsewhere every run tries something new.
settings.register_profile("engine", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("engine")

#: The fixtures that start a whole stack. The tests of tests/e2e that do not ask for one start one of their own.
_STACK_FIXTURES = {"stack", "site"}


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One running PostgreSQL for all tests. A test that stops it starts it again."""
    with postgres_server() as server:
        yield server


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that need a stack, and those without coverage; put the longest first in workers."""
    for item in items:
        if item.nodeid.startswith("tests/e2e/") or _STACK_FIXTURES & set(getattr(item, "fixturenames", [])):
            item.add_marker("stack")
        # A stack runs the engine in processes of its own; an exhaustive trial would take three times as long.
        if any(item.iter_markers("stack")) or any(item.iter_markers("exhaustive")):
            item.add_marker("no_cover")
    if hasattr(config, "workerinput"):
        # All workers must list the tests in one order, also those whose parameters come out of a set.
        items.sort(key=lambda item: (rank(item.nodeid), item.location[0], item.location[1] or 0, item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SharedStacks | None:
    """Keep the tests that share a stack on one worker, unless another way to distribute them is asked for."""
    return SharedStacks(config, log) if config.getoption("dist") == "load" else None
