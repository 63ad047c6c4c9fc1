"""The short form of the trials in virtual time."""

import logging
from collections.abc import Callable

import pytest

from chalicelib.api.meta import meta_of
from chalicelib.codec.exact_json import loads
from chalicelib.codec.messages import read_order_message
from tests.faults.effort import SHORT, Effort
from tests.faults.result import Result, row
from tests.faults.trials import VIRTUAL, cuts, races, virtual
from tests.faults.virtual.client_scenarios import Expected
from tests.faults.virtual.judge import final_violations
from tests.faults.virtual.legacy import ORDER_BODIES, queue_order
from tests.faults.virtual.world import World

#: These trials inject a fault at every call of every scenario, which takes most of the time of the suite.
_EXHAUSTIVE = (
    *(virtual.crash_at_every_call, virtual.failure_at_every_call, virtual.stall_at_every_call),
    virtual.messages_of_version_1,
    *(cuts.slow_at_every_frame, cuts.held_back_at_every_frame),
    *(virtual.cancel_at_every_call, races.one_at_every_call_of_the_other, races.watcher_killed_in_a_batch),
)
_TRIALS = [
    pytest.param(trial, marks=[pytest.mark.exhaustive] if trial in _EXHAUSTIVE else [], id=trial.__name__)
    for trial in VIRTUAL
]


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Silence the log: pytest keeps the traces of thousands of faults until the test ends."""
    caplog.set_level(logging.CRITICAL, logger="chalicelib")


@pytest.mark.parametrize("trial", _TRIALS)
def test_no_order_is_lost_or_doubled(trial: Callable[[Effort], Result]) -> None:
    result = trial(SHORT)
    print(row(result))
    assert result.violations == []
    assert result.orders > 0
    assert result.faults > 0


@pytest.mark.parametrize("body", ORDER_BODIES.values(), ids=ORDER_BODIES)
def test_an_order_message_of_version_1_is_executed_on_its_first_delivery(body: str) -> None:
    world, expected = World(), Expected()
    queue_order(world, None, expected, body)
    order_id = expected.accepted[0][1]
    before = world.all_orders()[order_id].order
    [message] = world.queue.visible()
    world.deliver(world.queue, message)
    after = world.all_orders()[order_id].order
    assert after.seq > before.seq
    assert after.events[: before.seq] == before.events
    assert world.run()
    assert final_violations(world, expected) == []


@pytest.mark.parametrize("body", ORDER_BODIES.values(), ids=ORDER_BODIES)
def test_the_public_form_of_a_version_1_event_has_not_changed(body: str) -> None:
    """Version 1 stored the public ``meta`` itself, so its messages hold what clients received then."""
    order = read_order_message(body).order
    stored = [loads(text) for text in loads(body)["order"]["events"]]
    assert [meta_of(order.spec, event) for event in order.events] == [one["meta"] for one in stored]
