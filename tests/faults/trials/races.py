"""Two things happen to waiting orders at once: the second at every single call of the first one's life."""

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
from tests.faults.virtual.judge import at_rest
from tests.faults.virtual.open_orders import LIMIT, REACHED, SOL_USDC, a_launch, sniper_terms
from tests.faults.virtual.world import World
from tests.support.callers import ANYONE
from tests.support.specs import a_spec

_LIFE_SECONDS = 40
_AWAY = LIMIT * 3 / 4
#: Better than the limit and not as good as the price reached.
_AMENDED = LIMIT + 8
_FAULTS = tuple(Fault)


@dataclass
class Race:
    """A world with one limit and one sniper order, of which it is noted what clients were promised."""

    world: World
    limit_id: str = ""
    sniper_id: str = ""
    expected: Expected = field(default_factory=Expected)
    cancelled: set[str] = field(default_factory=set)
    amended: dict[str, Order] = field(default_factory=dict)

    def begin(self) -> None:
        expires_at = self.world.clock.now() + timedelta(seconds=_LIFE_SECONDS)
        waits: dict[str, Any] = {"time_in_force": TimeInForce.GTD, "expires_at": expires_at}
        self.limit_id = with_key(self.world, None, self.expected, type=OrderType.LIMIT, limit_price=LIMIT, **waits)
        spec = a_spec(**{**sniper_terms(), **waits})
        answer = self.world.insist(lambda: self.world.engine.submit(ANYONE, spec, idempotency_key="sniper"))
        self.sniper_id = answer.order_id
        self.expected.accepted.append(("sniper", self.sniper_id))
        # Whatever happens, both end: they trade, or are over.
        self.world.back_at(_LIFE_SECONDS + 1, lambda: None)

    def ask(self, work: Callable[[], Any]) -> Any:
        """Do something once, as a process; ``None`` if it is killed, refused or fails."""
        return self.world.once(work)


def tick(race: Race) -> None:
    """The price is where the order wants it, and the market is looked at."""
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
    """Time passes in which nobody else does anything; then the watchdog and the watcher come together."""
    race.world.clock.sleep(_LIFE_SECONDS + 1)
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
    """Each order's message comes as the table has it now, whether or not one was sent."""
    for order_id in (race.limit_id, race.sniper_id):
        if stored := race.world.orders.get(order_id):
            race.world.queue.put(order_message(stored))
    for message in race.world.queue.visible():
        race.world.deliver(race.world.queue, message)


DEEDS = (tick, price, price_leaves, launch, cancel, expire, amend, deliver_double)


def one_at_every_call_of_the_other(effort: Effort) -> Result:
    """All ordered pairs of what can happen to an open order; then again with a fault a few calls later."""
    result = Result("one deed at every call of another")
    random, stride = Random(5), effort.pick(5, 1)
    for number, (first, second, faulty) in enumerate(product(DEEDS, DEEDS, (False, True))):
        call, reached = 1 + number % stride, True
        while reached:
            plan = {call + random.randrange(1, 15): random.choice(_FAULTS)} if faulty else {}
            reached = _race(plan, [(0, first), (call, second)], number, result)
            if effort.is_over(result.violations):
                return result
            call += stride
    return result


def three_at_once(effort: Effort) -> Result:
    """Three deeds at any calls, and a fault at any call, of one life."""
    result = Result("three deeds in one life")
    for seed in range(effort.pick(300, 20_000)):
        random = Random(seed)
        deeds = [(0, random.choice(DEEDS)), *((random.randrange(1, 60), random.choice(DEEDS)) for _ in range(2))]
        plan = {random.randrange(1, 80): random.choice(_FAULTS)} if seed % 2 else {}
        _race(plan, deeds, seed, result)
    return result


def _race(
    plan: dict[int, Fault], deeds: Iterable[tuple[int, Callable[[Race], None]]], seed: int, result: Result
) -> bool:
    """Do the first deed, and each other one at its call from then on; whether all the calls came."""
    race = Race(World(seed=seed))
    race.begin()
    world, before = race.world, race.world.injector.calls
    (_, first), *others = deeds
    for call, deed in others:
        world.injector.at_call[before + call] = partial(deed, race)
    world.injector.plan = {before + call: fault for call, fault in plan.items()}
    first(race)
    rested = world.run(hours=1)
    result.orders += 2
    result.faults += 1 + len(world.injector.fired)
    found = [*at_rest(world, race.expected), *_broken_promises(race)]
    if not rested:
        found.append("does not come to rest")
    names = ", ".join(f"{deed.__name__} at {call}" for call, deed in deeds)
    fired = [text for _, text in world.injector.fired]
    result.violations += [f"{one} (seed {seed}: {names}; {fired})" for one in found]
    return all(world.injector.calls >= before + call for call, _ in others)


def _broken_promises(race: Race) -> list[str]:
    found = []
    orders = {order_id: kept.order for order_id, kept in race.world.all_orders().items()}
    for order_id in race.cancelled:
        if (status := orders[order_id].status) is not Status.CANCELLED:
            found.append(f"I8 {order_id}: a cancel was acknowledged, and it is {status}")
    for order_id, promised in race.amended.items():
        order = orders[order_id]
        if order.events[: promised.seq] != promised.events:
            found.append(f"{order_id}: an amendment was acknowledged, and is not among its events")
        least = promised.spec.limit_min_out or 0
        found += [
            f"I2 {order_id}: {fill.amount_out} came out, and {least} was promised at least"
            for fill in race.world.ledger.swaps_of(order_id)
            if fill.amount_out < least
        ]
    for order in orders.values():
        if not order.is_terminal:
            found.append(f"I3 {order.order_id}: {order.status} since {order.updated_at}, and its time is up")
    return found


def watcher_killed_in_a_batch(effort: Effort) -> Result:
    """The watcher dies at any call of releasing many orders, by price and by launch, in batches smaller than that."""
    result = Result("watcher killed in a batch")
    many, most = effort.pick(5, 12), effort.pick(60, 10_000)
    for deed, fault in product((tick, price, launch), (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)):
        call, reached = 1, True
        while reached and call <= most:
            reached = _batch(deed, {call: fault}, many, result)
            call += 1
    return result


def _batch(deed: Callable[[Race], None], plan: dict[int, Fault], many: int, result: Result) -> bool:
    """Whether the fault's turn came; the first calls are the watcher's, the others those of who comes after it."""
    race = Race(World(seed=many, trigger_batch=3))
    world = race.world
    for number in range(many):
        for changes in ({"type": OrderType.LIMIT, "limit_price": LIMIT + number}, sniper_terms()):
            spec = a_spec(**{"time_in_force": TimeInForce.GTC, **changes})
            answer = world.insist(partial(world.engine.submit, ANYONE, spec))
            released = (deed is launch) == (spec.type is OrderType.SNIPER)
            race.expected.ends.append((answer.order_id, (Status.CONFIRMED if released else Status.OPEN,)))
    before = world.injector.calls
    world.injector.plan = {before + call: fault for call, fault in plan.items()}
    deed(race)
    # The feed repeats an event whose handler was killed before it stored the event.
    if deed is not tick:
        deed(race)
    rested = world.run(hours=1)
    result.orders += 2 * many
    result.faults += len(world.injector.fired)
    found = at_rest(world, race.expected)
    if not rested:
        found.append("does not come to rest")
    result.violations += [f"{one} ({deed.__name__}, {plan})" for one in found]
    return bool(world.injector.fired)


TRIALS = (one_at_every_call_of_the_other, three_at_once, watcher_killed_in_a_batch)
