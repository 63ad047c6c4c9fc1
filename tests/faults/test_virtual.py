"""The short form of the trials in virtual time."""

import logging
from collections.abc import Callable

import pytest

from tests.faults.effort import SHORT, Effort
from tests.faults.result import Result
from tests.faults.trials import VIRTUAL


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of faults log their traces, and each is kept until a test ends."""
    caplog.set_level(logging.CRITICAL, logger="chalicelib")


@pytest.mark.parametrize("trial", VIRTUAL, ids=lambda trial: trial.__name__)
def test_no_order_is_lost_or_doubled(trial: Callable[[Effort], Result]) -> None:
    result = trial(SHORT)
    assert result.violations == []
    assert result.orders > 0
    assert result.faults > 0
