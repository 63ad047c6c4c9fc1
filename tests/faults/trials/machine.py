"""The state machine as a trial: any order of events, as hypothesis thinks them up."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.effort import Effort
from tests.faults.result import Result
from tests.faults.virtual.machine import OrderLives


def any_order_of_events(effort: Effort) -> Result:
    """Hypothesis shrinks what fails to the few steps that it takes; they are in the message."""
    result = OrderLives.total = Result(OrderLives.total.name)
    try:
        run_state_machine_as_test(
            OrderLives,
            settings=settings(
                max_examples=effort.pick(100, 3_000),
                stateful_step_count=50,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    except AssertionError as error:
        result.violations.append("\n".join([str(error), *getattr(error, "__notes__", [])]))
    return result
