"""The short form of the trials in virtual time."""

import logging
from collections.abc import Callable

import pytest

from tests.faults.effort import SHORT, Effort
from tests.faults.result import Result
from tests.faults.trials import VIRTUAL, races, virtual

#: These repeat for every call of every scenario what the others do for some, which takes most of the time.
_EXHAUSTIVE = (
    *(virtual.crash_at_every_call, virtual.failure_at_every_call, virtual.stall_at_every_call),
    *(virtual.cancel_at_every_call, races.one_at_every_call_of_the_other, races.watcher_killed_in_a_batch),
)
_TRIALS = [
    pytest.param(trial, marks=[pytest.mark.exhaustive] if trial in _EXHAUSTIVE else [], id=trial.__name__)
    for trial in VIRTUAL
]


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of faults log their traces, and each is kept until a test ends."""
    caplog.set_level(logging.CRITICAL, logger="chalicelib")


@pytest.mark.parametrize("trial", _TRIALS)
def test_no_order_is_lost_or_doubled(trial: Callable[[Effort], Result]) -> None:
    result = trial(SHORT)
    assert result.violations == []
    assert result.orders > 0
    assert result.faults > 0
