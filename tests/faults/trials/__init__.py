"""The trials, by the environment that they run in. A trial returns a ``Result`` and asserts nothing."""

from collections.abc import Callable

from tests.faults.effort import Effort
from tests.faults.result import Result
from tests.faults.stack_under_test import StackUnderTest
from tests.faults.trials import (
    client,
    cuts,
    disk,
    kills,
    lanes,
    late_pushes,
    limit,
    machine,
    messages,
    outages,
    races,
    sleeping,
    sockets,
    state,
    updates,
    virtual,
)

#: Trials on fakes and a virtual clock.
VIRTUAL: tuple[Callable[[Effort], Result], ...] = (
    *virtual.TRIALS,
    *races.TRIALS,
    *cuts.TRIALS,
    *late_pushes.TRIALS,
    *sleeping.TRIALS,
    machine.any_order_of_events,
)
#: Trials on one shared stack, run one after the other.
REAL: tuple[Callable[[StackUnderTest, Effort], Result], ...] = (
    *(messages.burst, messages.one_key, messages.replies_lost, messages.doubles, messages.poison),
    *(lanes.high_priority_in_a_backlog, lanes.one_user_with_most_of_the_load, lanes.cancelled_at_any_moment),
    *(sockets.many_on_one_order, sockets.resumed_at_every_seq, sockets.slow_sockets, sockets.strangers),
    *(outages.workers_killed, outages.postgres_stopped, outages.postgres_frozen),
    *(outages.queue_fails_after_the_write, outages.calls_throttled, outages.answers_lost, outages.calls_delayed),
    client.cut_clients,
)
#: Trials that start their own stack and have a short form for CI.
BRIEF: tuple[Callable[[Effort], Result], ...] = (kills.kills, state.state, disk.crowded_disk)
#: Trials that start their own stack.
OWN: tuple[Callable[[Effort], Result], ...] = (limit.rate_limit, *BRIEF, updates.updates, client.client)
