"""Concurrent actions on open orders: the second action runs at every single call of the first."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import product
from random import Random
from typing import Any

from chalicelib.codec.messages import order_message
from chalicelib.domain.conditions import Amendment, TimeInForce
from chalicelib.domain.orders import Order
from chalicelib.domain.status import OrderType, Status
from chalicelib.ports.market import PushedPrice
from tests.faults.effort import Effort
from tests.faults.result import Result
from tests.faults.virtual.client_scenarios import Expected, with_key
from tests.faults.virtual.injection import Fault
from tests.faults.virtual.judge import final_violations
from tests.faults.virtual.open_orders import LIMIT, REACHED, SOL_USDC, a_launch, sniper_terms
from tests.faults.virtual.world import World
from tests.support.callers import ANYONE
from tests.support.specs import a_spec

_EXPIRY_SECONDS = 40
_AWAY = LIMIT * 3 / 4
#: A limit between the original limit and the price that fills it.
_AMENDED = LIMIT + 8
_FAULTS = tuple(Fault)


@dataclass
class Race:
    """A world with a limit order and a sniper order, and the acknowledged cancels and amendments."""

    world: World
    limit_id: str = ""
    sniper_id: str = ""
    expected: Expected = field(default_factory=Expected)
    cancelled: set[str] = field(default_factory=set)
    amended: dict[str, Order] = field(default_factory=dict)

    def begin(self) -> None:
        expires_at = self.world.clock.now() + timedelta(seconds=_EXPIRY_SECONDS)
        waits: dict[str, Any] = {"time_in_force": TimeInForce.GTD, "expires_at": expires_at}
        self.limit_id = with_key(self.world, None, self.expected, type=OrderType.LIMIT, limit_price=LIMIT, **waits)
        spec = a_spec(**{**sniper_terms(), **waits})
        answer = self.world.retry_until_answered(
            lambda: self.world.engine.submit(ANYONE, spec, idempotency_key="sniper")
        )
        self.sniper_id = answer.order_id
        self.expected.accepted.append(("sniper", self.sniper_id))
        # The run lasts past the expiry, after which both orders have traded or expired.
        self.world.schedule(_EXPIRY_SECONDS + 1, lambda: None)

    def ask(self, work: Callable[[], Any]) -> Any:
        """Run ``work`` once; return ``None`` if the engine is killed, refuses or fails."""
        return self.world.once(work)


def tick(race: Race) -> None:
    """Store a price that fills the limit order, and run the market watcher."""
    assert SOL_USDC is not None
    race.world.markets.push_price(SOL_USDC, PushedPrice(REACHED, race.world.clock.now_ms()))
    race.ask(race.world.engine.market.look)


def price(race: Race) -> None:
    assert SOL_USDC is not None
    race.ask(partial(race.world.engine.market.push_price, ANYONE, SOL_USDC, REACHED))


def price_leaves(race: Race) -> None:
    assert SOL_USDC is not None
    race.ask(partial(race.world.engine.market.push_price, ANYONE, SOL_USDC, _AWAY))


def launch(race: Race) -> None:
    race.ask(partial(race.world.engine.market.announce_launch, ANYONE, a_launch(race.world, slot=1)))


def cancel(race: Race) -> None:
    for order_id in (race.limit_id, race.sniper_id):
        if race.ask(partial(race.world.engine.cancel, ANYONE, order_id)) is not None:
            race.cancelled.add(order_id)


def expire(race: Race) -> None:
    """Advance the clock past the expiry, and then run the market watcher and the watchdog."""
    race.world.clock.sleep(_EXPIRY_SECONDS + 1)
    race.ask(race.world.engine.market.look)
    race.ask(race.world.engine.watchdog)


def amend(race: Race) -> None:
    for order_id, amendment in (
        (race.limit_id, Amendment(limit_price=_AMENDED)),
        (race.sniper_id, Amendment(slippage_bps=900)),
    ):
        if (order := race.ask(partial(race.world.engine.amend, ANYONE, order_id, amendment))) is not None:
            race.amended[order_id] = order


def deliver_double(race: Race) -> None:
    """Queue a message of each order as it is stored now, and deliver all visible messages."""
    for order_id in (race.limit_id, race.sniper_id):
        if stored := race.world.orders.get(order_id):
            race.world.queue.put(order_message(stored))
    for message in race.world.queue.visible():
        race.world.deliver(race.world.queue, message)


ACTIONS = (tick, price, price_leaves, launch, cancel, expire, amend, deliver_double)


def one_at_every_call_of_the_other(effort: Effort) -> Result:
    """Run every ordered pair of actions, once without a fault and once with a fault a few calls later."""
    result = Result("one action at every call of another")
    random, stride = Random(5), effort.pick(5, 1)
    for number, (first, second, faulty) in enumerate(product(ACTIONS, ACTIONS, (False, True))):
        call, reached = 1 + number % stride, True
        while reached:
            plan = {call + random.randrange(1, 15): random.choice(_FAULTS)} if faulty else {}
            reached = _race(plan, [(0, first), (call, second)], number, result)
            if effort.is_complete(result.violations):
                return result
            call += stride
    return result


def three_at_once(effort: Effort) -> Result:
    """Run three actions at random calls on the same orders, half of the runs with a fault."""
    result = Result("three actions on the same orders")
    for seed in range(effort.pick(300, 20_000)):
        random = Random(seed)
        actions = [
            (0, random.choice(ACTIONS)),
            *((random.randrange(1, 60), random.choice(ACTIONS)) for _ in range(2)),
        ]
        plan = {random.randrange(1, 80): random.choice(_FAULTS)} if seed % 2 else {}
        _race(plan, actions, seed, result)
    return result


def _race(
    plan: dict[int, Fault], actions: Iterable[tuple[int, Callable[[Race], None]]], seed: int, result: Result
) -> bool:
    """Run the first action, and each other action at its call; return whether all these calls occurred."""
    race = Race(World(seed=seed))
    race.begin()
    world, before = race.world, race.world.injector.calls
    (_, first), *others = actions
    for call, action in others:
        world.injector.at_call[before + call] = partial(action, race)
    world.injector.plan = {before + call: fault for call, fault in plan.items()}
    first(race)
    rested = world.run(hours=1)
    result.orders += 2
    result.faults += 1 + len(world.injector.fired)
    found = [*final_violations(world, race.expected), *_broken_promises(race)]
    if not rested:
        found.append("does not come to rest")
    names = ", ".join(f"{action.__name__} at {call}" for call, action in actions)
    fired = [text for _, text in world.injector.fired]
    result.violations += [f"{one} (seed {seed}: {names}; {fired})" for one in found]
    return all(world.injector.calls >= before + call for call, _ in others)


def _broken_promises(race: Race) -> list[str]:
    found = []
    orders = {order_id: stored.order for order_id, stored in race.world.all_orders().items()}
    for order_id in race.cancelled:
        if (status := orders[order_id].status) is not Status.CANCELLED:
            found.append(f"I8 {order_id}: a cancel was acknowledged, and it is {status}")
    for order_id, promised in race.amended.items():
        order = orders[order_id]
        if order.events[: promised.seq] != promised.events:
            found.append(f"{order_id}: an amendment was acknowledged, and is not among its events")
        min_out = promised.spec.limit_min_out or 0
        found += [
            f"I2 {order_id}: the output {fill.amount_out} is below the acknowledged min output {min_out}"
            for fill in race.world.ledger.swaps_of(order_id)
            if fill.amount_out < min_out
        ]
    for order in orders.values():
        if not order.is_terminal:
            found.append(f"I3 {order.order_id}: {order.status} since {order.updated_at}, and it has expired")
    return found


def watcher_killed_in_a_batch(effort: Effort) -> Result:
    """Kill the watcher at any call while it triggers many orders in batches, by price and by launch."""
    result = Result("watcher killed in a batch")
    many, most = effort.pick(5, 12), effort.pick(60, 10_000)
    for action, fault in product((tick, price, launch), (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)):
        call, reached = 1, True
        while reached and call <= most:
            reached = _batch(action, {call: fault}, many, result)
            call += 1
    return result


def _batch(action: Callable[[Race], None], plan: dict[int, Fault], many: int, result: Result) -> bool:
    """Run an action with this plan of faults on many open orders; return whether a fault was injected."""
    race = Race(World(seed=many, trigger_batch=3))
    world = race.world
    for number in range(many):
        for changes in ({"type": OrderType.LIMIT, "limit_price": LIMIT + number}, sniper_terms()):
            spec = a_spec(**{"time_in_force": TimeInForce.GTC, **changes})
            answer = world.retry_until_answered(partial(world.engine.submit, ANYONE, spec))
            released = (action is launch) == (spec.type is OrderType.SNIPER)
            race.expected.ends.append((answer.order_id, (Status.CONFIRMED if released else Status.OPEN,)))
    before = world.injector.calls
    world.injector.plan = {before + call: fault for call, fault in plan.items()}
    action(race)
    # The feed repeats an event whose handler was killed before it stored the event.
    if action is not tick:
        action(race)
    rested = world.run(hours=1)
    result.orders += 2 * many
    result.faults += len(world.injector.fired)
    found = final_violations(world, race.expected)
    if not rested:
        found.append("does not come to rest")
    result.violations += [f"{one} ({action.__name__}, {plan})" for one in found]
    return bool(world.injector.fired)


TRIALS = (one_at_every_call_of_the_other, three_at_once, watcher_killed_in_a_batch)
