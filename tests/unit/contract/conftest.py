"""The routes of the application, from which the contract is generated."""

import pytest
from chalice.app import Chalice

from chalicelib.http import application


@pytest.fixture
def app() -> Chalice:
    return application.app
