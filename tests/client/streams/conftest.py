"""Both clients in turn."""

import pytest

from tests.client.streams.shells import Awaited, Blocking


@pytest.fixture(params=[Blocking, Awaited], ids=["sync", "async"])
def shell(request: pytest.FixtureRequest) -> Blocking | Awaited:
    shell: Blocking | Awaited = request.param()
    return shell
