"""Both clients on one script."""

from collections.abc import Iterator

import pytest

from tests.client.scripted import Script
from tests.client.shells import Shell


@pytest.fixture(params=["sync", "async"])
def shell(request: pytest.FixtureRequest) -> Iterator[Shell]:
    """Each of the two clients in turn."""
    shell = Shell(request.param == "async")
    yield shell
    shell.close()


@pytest.fixture
def script() -> Script:
    return Script()
