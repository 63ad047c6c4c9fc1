"""The rate limit over any sliding minute, on its own stack."""

from tests.faults.effort import Effort
from tests.faults.rates import most_in_a_minute
from tests.faults.result import Result
from tests.faults.stack_under_test import a_stack_under_test, is_terminal, span_of

PER_MINUTE = 30


def rate_limit(effort: Effort) -> Result:
    """Submit more orders at once than two minutes allow: no minute exceeds the limit, and every order ends."""
    result = Result("the rate limit, over any minute")
    with a_stack_under_test(RATE_LIMIT_PER_MINUTE=str(PER_MINUTE)) as site:
        ids = site.accept(effort.pick(PER_MINUTE + 5, 2 * PER_MINUTE + 20), "limited")
        result.faults = 1
        result.recovered(site.wait_until_finalized(ids))
        begun = [span_of(item)[0] for item in site.items(ids).values() if is_terminal(item)]
        if (most := most_in_a_minute(begun)) > PER_MINUTE:
            result.violations.append(f"{most} orders begun within a minute")
        result.notes.append(f"most begun within a minute: {most} of {PER_MINUTE}")
        site.judge(ids, result)
    return result
