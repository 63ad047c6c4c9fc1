"""The state machine as a trial: hypothesis generates the order of events."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.effort import Effort
from tests.faults.result import Result
from tests.faults.virtual.machine import OrderMachine


def any_order_of_events(effort: Effort) -> Result:
    """Run the state machine. Hypothesis shrinks a failure to a few steps, which the violation lists."""
    result = OrderMachine.total = Result(OrderMachine.total.name)
    try:
        run_state_machine_as_test(
            OrderMachine,
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
