"""The first order after quiet: the looks sleep when it comes, and a fault hits every call until it is over."""

from collections.abc import Callable
from itertools import product

from tests.faults.effort import Effort
from tests.faults.result import Result
from tests.faults.trials.virtual import CRASHES, FAILURES, FAULTS, run_scenario
from tests.faults.virtual.client_scenarios import Scenario
from tests.faults.virtual.injection import Fault
from tests.faults.virtual.open_orders import SCENARIOS
from tests.faults.virtual.recovery import slow_recovery
from tests.faults.virtual.sleeping import SleepingWorld

_NAMES = ("plain", "with a key", "limit that triggers later", "limit that expires", "sniper that fires")
#: How long the looks sleep when the order comes, in relation to the message of the next minute.
_ASLEEP_SECONDS = (1, 31, 58.5)


def first_order_after_quiet(effort: Effort) -> Result:
    """Fault each call from the first order on, while the looks sleep: it is over as soon as with looks awake."""
    result = Result("the first order after quiet")
    scenarios = [one for one in SCENARIOS if one.name in _NAMES or effort.name == "long"]
    faults = effort.pick(len(CRASHES + FAILURES), len(FAULTS))
    asleep = _ASLEEP_SECONDS[: effort.pick(1, len(_ASLEEP_SECONDS))]
    for scenario, seconds, fault in product(scenarios, asleep, FAULTS[:faults]):
        _at_every_call(scenario, seconds, fault, result)
    return result


def _at_every_call(scenario: Scenario, asleep_seconds: float, fault: Fault, result: Result) -> None:
    call, reached = 1, True
    while reached:
        world = SleepingWorld(rate_limit=scenario.rate_limit)
        world.fall_asleep(asleep_seconds)
        world.injector.plan[world.injector.calls + call] = fault
        calls_until_over = _note_the_end(world)
        run_scenario(scenario, {}, 0, result, world)
        if fault in CRASHES and not scenario.rate_limit:
            result.violations += slow_recovery(world, f"after quiet: {scenario.name}")
        if world.looks_queue.messages:
            result.violations.append(f"the looks do not fall asleep again (after quiet: {scenario.name})")
        # Once the order is over, further calls belong to looks that find nothing.
        reached = bool(world.injector.fired) and call < calls_until_over()
        call += 1


def _note_the_end(world: SleepingWorld) -> Callable[[], int]:
    """Return how many calls the processes make until no order has a deadline."""
    began = world.injector.calls
    last = began

    def note() -> None:
        nonlocal last
        if any(stored.deadline_ms is not None for stored in world.all_orders().values()):
            last = world.injector.calls

    world.at_each_delivery = note
    return lambda: last - began + 10


TRIALS = (first_order_after_quiet,)
