"""The page of a deployed stack in a browser."""

import pytest

from tests.support.stack import RunningStack
from tests.ui.fixtures import browser, guard, ui_page  # noqa: F401


@pytest.fixture
def site_url(stack: RunningStack) -> str:
    return stack.endpoints["http"]
