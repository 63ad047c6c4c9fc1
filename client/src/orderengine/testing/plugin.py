"""The fixture ``engine`` of pytest: each test gets an engine of its own, whose invariants are checked after it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from orderengine.testing.handle import VirtualEngine


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> "Iterator[VirtualEngine]":
    """An engine with the test's name as its seed. ``@pytest.mark.engine(auth=True)`` gives it a seed and settings."""
    from orderengine.testing import engine

    mark = request.node.get_closest_marker("engine")
    options = {"seed": request.node.name[:64], **(mark.kwargs if mark else {})}
    with engine(**options) as made:
        yield made


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "engine(seed=..., **settings): how the fixture engine is built")
