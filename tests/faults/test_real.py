"""The short form of the trials on the real stack, all on the same stack."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.effort import SHORT, Effort
from tests.faults.result import Result
from tests.faults.stack_under_test import StackUnderTest, a_stack_under_test
from tests.faults.trials import REAL


@pytest.fixture(scope="module")
def site() -> Iterator[StackUnderTest]:
    with a_stack_under_test() as site:
        yield site


@pytest.mark.parametrize("trial", REAL, ids=lambda trial: trial.__name__)
def test_no_order_is_lost_or_doubled(trial: Callable[[StackUnderTest, Effort], Result], site: StackUnderTest) -> None:
    result = trial(site, SHORT)
    assert result.violations == []
    assert result.orders > 0
    assert result.faults > 0
