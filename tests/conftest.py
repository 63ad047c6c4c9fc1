"""Configuration for all tests: the hypothesis profile, one PostgreSQL server, and marks of what tests need."""

import gc
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.support.chromium import NO_CHROMIUM
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.scheduling import SharedStacks, is_virtual, rank

# A slow machine must fail no test. CI generates the same examples in every run; a run elsewhere generates new ones.
settings.register_profile("engine", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("engine")

#: The fixtures that start a whole stack. A test in tests/e2e without one of them starts a stack of its own.
_STACK_FIXTURES = {"stack", "site", "locked", "fuzz"}
#: The tests that drive a browser.
_IN_A_BROWSER = ("tests/ui/", "tests/e2e/page/")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL server that all tests share. A test that stops the server starts it again."""
    with postgres_server() as server:
        yield server


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that need a stack or a browser and those that run without coverage; workers run the longest
    groups first.
    """
    for item in items:
        if item.nodeid.startswith(_IN_A_BROWSER):
            item.add_marker("ui")
        if item.nodeid.startswith("tests/e2e/") or _STACK_FIXTURES & set(getattr(item, "fixturenames", [])):
            item.add_marker("stack")
        # A stack runs the engine in separate processes, and the test kit in greenlets, which coverage would mix up;
        # coverage makes a trial in virtual time three times as long.
        in_kit = item.nodeid.startswith(("tests/client/", "tests/ui/", "tests/cost/", "tests/scale/"))
        if in_kit or any(item.iter_markers("stack")) or is_virtual(item.nodeid):
            item.add_marker("no_cover")
    if hasattr(config, "workerinput"):
        # Every worker must list the tests in the same order, including parameters that come out of a set.
        items.sort(key=lambda item: (rank(item.nodeid), item.location[0], item.location[1] or 0, item.nodeid))


def pytest_collection_finish() -> None:
    """Exempt all modules and tests from garbage collection, which would look through them again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SharedStacks | None:
    """Keep the tests that share a stack on one worker, unless the command line selects another distribution."""
    return SharedStacks(config, log) if config.getoption("dist") == "load" else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it loudly if tests of the page were skipped because this machine has no browser."""
    skipped = [report for report in terminalreporter.stats.get("skipped", ()) if NO_CHROMIUM in str(report.longrepr)]
    if skipped:
        terminalreporter.write_sep("!", "THE PAGE WAS NOT TESTED", red=True, bold=True)
        terminalreporter.write_line(f"{len(skipped)} tests need a browser, and there is {NO_CHROMIUM}", red=True)
