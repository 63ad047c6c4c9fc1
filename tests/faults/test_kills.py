"""The short form of the trials that kill processes or fill the disk, each on a stack of its own."""

from collections.abc import Callable

import pytest

from tests.faults.effort import SHORT, Effort
from tests.faults.result import Result, row
from tests.faults.trials import BRIEF


@pytest.mark.stack
@pytest.mark.parametrize("trial", BRIEF, ids=lambda trial: trial.__name__)
def test_no_accepted_order_is_lost_late_or_doubled(trial: Callable[[Effort], Result]) -> None:
    result = trial(SHORT)
    if result.skipped:
        pytest.skip(result.skipped)
    # pytest shows the distribution of recoveries with a failure.
    print(row(result))
    assert result.violations == []
    assert result.orders > 0
    assert result.faults > 0
