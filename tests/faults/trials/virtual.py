"""Trials in virtual time: a fault at each call of a scenario, at two calls, and duplicate messages."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import accumulate, product
from random import Random

from chalicelib.codec.messages import order_message
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.ports.orders import StoredOrder
from tests.faults.effort import Effort
from tests.faults.result import Result
from tests.faults.virtual.client_scenarios import Expected, Scenario, over_socket
from tests.faults.virtual.injection import Fault
from tests.faults.virtual.judge import final_violations
from tests.faults.virtual.legacy import LEGACY
from tests.faults.virtual.open_orders import SCENARIOS
from tests.faults.virtual.outages import come_back, end_outage, switch
from tests.faults.virtual.recovery import recovery_seconds, slow_recovery
from tests.faults.virtual.world import World
from tests.support.callers import ANYONE
from tests.support.specs import a_spec

CRASHES = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)
FAILURES = (Fault.FAIL_BEFORE, Fault.FAIL_AFTER)
FAULTS = tuple(Fault)
STALLS = (Fault.STALL_BEFORE, Fault.STALL_AFTER)


def crash_at_every_call(effort: Effort) -> Result:
    """Kill a process at each of its calls: every order is over within ``MAX_RECOVERY_SECONDS``."""
    return _at_every_call("crash at every call", _at_either_side(CRASHES, effort), effort)


def killed_again_and_again(effort: Effort) -> Result:
    """Kill two to four processes: every order is over within ``MAX_RECOVERY_SECONDS`` of the last death."""
    result = Result("killed again and again")
    random = Random(5)
    # A client over a socket may receive its ack from a handler that dies before it subscribes the connection.
    scenarios = [one for one in SCENARIOS if not one.rate_limit and one.begin is not over_socket]
    for seed in range(effort.pick(300, 6_000)):
        calls = accumulate(random.randrange(1, 14) for _ in range(random.randrange(2, 5)))
        plan = {call: random.choice(CRASHES) for call in calls}
        scenario = random.choice(scenarios)
        result.violations += slow_recovery(run_scenario(scenario, plan, seed, result), scenario.name)
    return result


def failure_at_every_call(effort: Effort) -> Result:
    """Fail each call before its effect, or lose its answer after the effect."""
    return _at_every_call("failure at every call", FAILURES, effort)


def stall_at_every_call(effort: Effort) -> Result:
    """Freeze a process for longer than its lease; it continues after another process has taken over."""
    return _at_every_call("stall at every call", _at_either_side(STALLS, effort), effort)


def _at_either_side(faults: tuple[Fault, Fault], effort: Effort) -> tuple[Fault, ...]:
    """Return what the effort tries of a fault before a call and one after it.

    A process that dies or stalls before a call has done what it had done after the call before, so the short form
    has the second alone.
    """
    return faults[effort.pick(1, 0) :]


def two_faults(effort: Effort) -> Result:
    """Inject two random faults into a scenario, the second one while the engine recovers from the first."""
    result = Result("two faults in one scenario")
    random = Random(2)
    for seed in range(effort.pick(400, 8_000)):
        scenario = random.choice(SCENARIOS)
        first = random.randrange(1, 30)
        plan = {first: random.choice(FAULTS), first + random.randrange(1, 20): random.choice(FAULTS)}
        run_scenario(scenario, plan, seed, result)
    return result


def neighbouring_faults(effort: Effort) -> Result:
    """Inject pairs of faults at neighbouring calls, such as a push and the replay queue that follows it."""
    result = Result("two faults close together")
    scenarios = [scenario for scenario in SCENARIOS if scenario.name in ("over a socket", "watched", "followed")]
    pairs = list(product(scenarios, range(1, 45), range(1, 5), FAULTS, FAULTS))
    for scenario, call, distance, first, second in Random(3).sample(pairs, effort.pick(400, len(pairs))):
        run_scenario(scenario, {call: first, call + distance: second}, call, result)
    return result


def doubles_late_and_out_of_order(effort: Effort) -> Result:
    """Deliver every message one to five times, up to ten minutes late and in any order, sometimes with a fault."""
    result = Result("doubles, late, out of order")
    for seed in range(effort.pick(150, 3_000)):
        random = Random(seed)
        plan = {random.randrange(1, 60): random.choice(FAULTS)} if seed % 2 else {}

        def copies(random: Random = random) -> list[float]:
            return [random.choice([0, 0, random.uniform(0, 600)]) for _ in range(random.randint(1, 5))]

        scenario = SCENARIOS[seed % len(SCENARIOS)]
        world = World(plan, seed, scenario.rate_limit)
        for queue in (world.queue, world.high_priority, world.replay_queue, world.fan_out_queue, world.dead_letters):
            queue.copies = copies
        run_scenario(scenario, plan, seed, result, world)
        result.faults += world.queue.sent + world.replay_queue.sent
    return result


def outages(effort: Effort) -> Result:
    """Stop PostgreSQL, the orders queue or a socket for up to minutes, at any moment of a scenario."""
    result = Result("outages of minutes")
    for seed in range(effort.pick(100, 1_500)):
        random = Random(seed)
        world = World(seed=seed)
        away = random.choice(["postgres", "queue", "socket gone", "socket slow"])
        starts, lasts = random.randrange(1, 30), random.choice([5, 60, 400])

        def outage(world: World = world, away: str = away, lasts: float = lasts) -> None:
            switch(world, away, True)
            world.schedule(lasts, partial(end_outage, world, away))

        world.injector.at_call[starts] = outage
        # A closed socket does not return; the client opens a new connection.
        scenario = SCENARIOS[0] if away == "socket gone" else SCENARIOS[seed % len(SCENARIOS)]
        run_scenario(scenario, {}, seed, result, world)
    return result


def cancel_at_every_call(effort: Effort) -> Result:
    """Cancel all orders at each call of a scenario, once without a fault and once with a fault after it."""
    result = Result("cancel at every call")
    random = Random(4)
    for seed, scenario, faulty in product(range(effort.pick(1, 6)), SCENARIOS, (False, True)):
        call, reached = 1, True
        while reached:
            plan = {call + random.randrange(1, 12): random.choice(FAULTS)} if faulty else {}
            reached = _run_cancelled(scenario, plan, call, seed, result)
            call += 1
    return result


def _run_cancelled(scenario: Scenario, plan: Mapping[int, Fault], call: int, seed: int, result: Result) -> bool:
    """Cancel all orders at this call of a scenario; return whether the call came."""
    world = World(plan, seed, scenario.rate_limit)
    acknowledged: set[str] = set()

    def cancel() -> None:
        for order_id in list(world.all_orders()):
            result.faults += 1
            if world.once(partial(world.engine.cancel, ANYONE, order_id)) is not None:
                acknowledged.add(order_id)

    world.injector.at_call[call] = cancel
    run_scenario(scenario, plan, seed, result, world)
    for order_id in acknowledged:
        if (status := world.all_orders()[order_id].order.status) is not Status.CANCELLED:
            result.violations.append(
                f"I8 {order_id}: a cancel was acknowledged, and it is {status} ({scenario.name})"
            )
    return world.injector.calls >= call


def poison_in_every_queue(effort: Effort) -> Result:
    """Put unreadable messages into every queue; they move to the unprocessable queue, and no order fails."""
    result = Result("poison messages (virtual)")
    for seed in range(effort.pick(10, 100)):
        world = World(seed=seed)
        damaged = [f'{{"v": {version}, "order": {{}}, "published": 0}}' for version in (1, 2, 3)]
        bodies = ["", "not JSON", "[]", "{}", '{"v": 1}', *damaged, unknown_order()]
        for queue, body in product(
            (world.queue, world.replay_queue, world.fan_out_queue, world.dead_letters), bodies
        ):
            queue.put(body)
        run_scenario(SCENARIOS[seed % len(SCENARIOS)], {}, seed, result, world)
        result.faults += 3 * len(bodies)
        if left := [message.body for message in world.queue.messages.values()]:
            result.violations.append(f"left in the orders queue: {left}")
        unprocessable = Counter(message.body for message in world.unprocessable.messages.values())
        # Every body arrives from the orders queue and from the dead letters; the processor drops an unknown order.
        if lost := [body for body in bodies if unprocessable[body] < (1 if body == bodies[-1] else 2)]:
            result.violations.append(f"not in the unprocessable queue: {lost}")
    return result


def messages_of_version_1(effort: Effort) -> Result:
    """Process messages of version 1, as after an upgrade, with a fault at each call.

    The market has the seed of the world that sent the messages: in another market, other prices than those of the
    stored quotes would rightly fail an order by its minimum output.
    """
    result, seed = Result("messages of version 1"), 0
    for scenario, fault in product(LEGACY, FAULTS):
        call, reached = 1, True
        while reached:
            world = World({call: fault}, seed, scenario.rate_limit)
            run_scenario(scenario, {call: fault}, seed, result, world)
            for message in world.unprocessable.messages.values():
                result.violations.append(f"taken for poison: {message.body} ({scenario.name}, {fault} {call})")
            reached = bool(world.injector.fired)
            call += 1
    return result


def unknown_order() -> str:
    """Return a valid message of an order that does not exist."""
    order = Order.accepted("00000000-0000-4000-8000-000000000000", a_spec(), datetime(2026, 1, 1, tzinfo=UTC))
    return order_message(StoredOrder(order))


def _at_every_call(name: str, faults: Iterable[Fault], effort: Effort) -> Result:
    result = Result(name)
    for seed in range(effort.pick(1, 10)):
        for scenario in SCENARIOS:
            for fault in faults:
                call, reached = 1, True
                # The loop ends when the scenario has fewer calls than ``call``.
                while reached:
                    world = run_scenario(scenario, {call: fault}, seed, result)
                    reached = bool(world.injector.fired)
                    if fault in CRASHES and not scenario.rate_limit:
                        result.violations += slow_recovery(world, scenario.name)
                    if effort.is_complete(result.violations):
                        return result
                    call += 1
    return result


def run_scenario(
    scenario: Scenario, plan: Mapping[int, Fault], seed: int, result: Result, world: World | None = None
) -> World:
    """Run a scenario, in a new world unless one is given, and add its outcome to ``result``."""
    world = world or World(plan, seed, scenario.rate_limit)
    expected = Expected()
    scenario.begin(world, scenario.simulate, expected)
    rested = world.run() and come_back(world, expected)
    result.orders += len(world.all_orders())
    result.faults += len(world.injector.fired)
    violations = final_violations(world, expected)
    if not rested:
        violations.append("does not come to rest")
    what = f"{scenario.name}, seed {seed}: {', '.join(text for _, text in world.injector.fired)}"
    result.violations += [f"{violation} ({what})" for violation in violations]
    for at_ms, _ in world.injector.fired:
        for seconds in recovery_seconds(world, at_ms):
            result.recovered(seconds)
    return world


TRIALS = (
    *(crash_at_every_call, killed_again_and_again, failure_at_every_call, stall_at_every_call),
    *(two_faults, neighbouring_faults),
    *(doubles_late_and_out_of_order, outages, cancel_at_every_call, poison_in_every_queue, messages_of_version_1),
)
