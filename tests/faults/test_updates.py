"""The short form of the trial that deploys other versions over one another, on a stack of its own."""

import pytest

from tests.faults.effort import SHORT
from tests.faults.result import row
from tests.faults.trials.updates import updates


@pytest.mark.stack
def test_no_order_is_lost_or_doubled_by_an_update_or_one_that_fails() -> None:
    result = updates(SHORT)
    if result.skipped:
        pytest.skip(result.skipped)
    # pytest shows the deployments with a failure.
    print(row(result))
    assert result.violations == []
    assert result.orders > 0
    assert result.faults == 2
