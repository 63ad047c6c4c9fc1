"""All trials by what they run on. Each returns a ``Result``; none asserts."""

from collections.abc import Callable

from tests.faults.effort import Effort
from tests.faults.result import Result
from tests.faults.stack_under_test import StackUnderTest
from tests.faults.trials import lanes, limit, machine, messages, outages, races, sockets, virtual

#: On fakes and a virtual clock.
VIRTUAL: tuple[Callable[[Effort], Result], ...] = (*virtual.TRIALS, *races.TRIALS, machine.any_order_of_events)
#: On one running stack, one after the other.
REAL: tuple[Callable[[StackUnderTest, Effort], Result], ...] = (
    *(messages.burst, messages.one_key, messages.replies_lost, messages.doubles, messages.poison),
    *(lanes.urgent_in_a_backlog, lanes.one_user_with_most_of_the_load, lanes.cancelled_at_any_moment),
    *(sockets.many_on_one_order, sockets.resumed_at_every_seq, sockets.slow_sockets, sockets.strangers),
    *(outages.workers_killed, outages.postgres_stopped, outages.postgres_frozen),
    *(outages.queue_fails_after_the_write, outages.calls_throttled, outages.answers_lost, outages.calls_delayed),
)
#: On a stack of their own, in the long form alone.
OWN: tuple[Callable[[Effort], Result], ...] = (limit.rate_limit,)
