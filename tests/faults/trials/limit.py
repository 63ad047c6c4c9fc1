"""The rate limit over any sliding minute, on a stack of its own."""

from tests.faults.effort import Effort
from tests.faults.rates import most_in_a_minute
from tests.faults.result import Result
from tests.faults.stack_under_test import a_stack_under_test, is_over, span_of

PER_MINUTE = 30


def rate_limit(effort: Effort) -> Result:
    """More orders at once than two minutes' worth: never more are begun in any minute, and all of them in the end."""
    result = Result("the rate limit, over any minute")
    with a_stack_under_test(RATE_LIMIT_PER_MINUTE=str(PER_MINUTE)) as site:
        ids = site.accept(effort.pick(PER_MINUTE + 5, 2 * PER_MINUTE + 20), "limited")
        result.faults = 1
        result.recovered(site.at_rest(ids))
        begun = [span_of(item)[0] for item in site.items(ids).values() if is_over(item)]
        if (most := most_in_a_minute(begun)) > PER_MINUTE:
            result.violations.append(f"{most} orders begun within a minute")
        result.notes.append(f"most begun within a minute: {most} of {PER_MINUTE}")
        site.judge(ids, result)
    return result
