"""The stack's own processes killed under load, and the stack started again on the data that they leave."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from random import Random

from chalicelib.codec.times import to_text
from tests.faults.durations import distribution
from tests.faults.effort import Effort
from tests.faults.order_flow import OrderFlow, Posted, accepted
from tests.faults.processes import UNAVAILABLE, kill_part, kill_tree
from tests.faults.restarts import started_again
from tests.faults.result import Result
from tests.faults.stack_under_test import DEFAULT_TIMES, StackUnderTest, a_state_directory, is_terminal
from tests.support.stack import StackStartError

#: Kills a part of the stack, given the launcher's process id. The first two are the short form.
TARGETS: Mapping[str, Callable[[int], int]] = {
    "the emulator": partial(kill_part, program="emulator_process.py"),
    "everything": kill_tree,
    "the front door": partial(kill_part, program="/caddy run"),
    "PostgreSQL": partial(kill_part, program="bin/postgres"),
    "the launcher": partial(kill_part, program=None),
}
#: Maximum time of a launcher to stop the other parts, and of orders to be over.
_END_SECONDS, _OVER_SECONDS = 120, 120


@dataclass
class Told:
    """The answers that clients have so far, and the measurements of all rounds."""

    posted: list[Posted] = field(default_factory=list)
    #: Status and ``seq`` of the terminal orders.
    ended: dict[str, tuple[str, int]] = field(default_factory=dict)
    #: Orders that are gone or not over in time, so that no later round waits for them again.
    missed: set[str] = field(default_factory=set)
    #: The target of the last kill, and its time.
    killed: str = ""
    killed_at: float = 0.0
    #: Seconds from each kill to a stack that is ready, and from there to the end of every order.
    ready: list[tuple[float, str]] = field(default_factory=list)
    over: list[float] = field(default_factory=list)
    refused_starts: list[str] = field(default_factory=list)


def state(effort: Effort) -> Result:
    """Kill a part of the stack, or all of it, while orders are posted; start it again, and expect every order.

    Long form: 20 rounds. Short form: one with the emulator, one with everything.
    """
    result, told = Result("processes of the stack killed", skipped=UNAVAILABLE), Told()
    if result.skipped:
        return result
    targets = list(islice(cycle(TARGETS), effort.pick(2, 20)))
    try:
        with a_state_directory() as directory:
            for number, target in enumerate(targets):
                with _started(directory, told) as site:
                    _expect_every_order(site, told, result)
                    result.faults += _kill(site, target, number, told)
            with _started(directory, told) as site:
                _expect_every_order(site, told, result)
                _examine(site, told, result)
    except StackStartError as error:
        result.violations.append(f"does not start after the end of {told.killed}: {error}")
    times = distribution([seconds for seconds, _ in told.ready])
    _, slowest = max(told.ready, default=(0.0, "none"))
    result.notes.append(f"{len(targets)} rounds; kill -> Ready: {times} ({slowest})")
    result.notes.append(f"Ready -> every order over: {distribution(told.over)}")
    result.notes += [f"a start was refused: {one}" for one in told.refused_starts]
    return result


@contextmanager
def _started(directory: Path, told: Told) -> Iterator[StackUnderTest]:
    """Start the stack again, and note how long it took.

    :raises StackStartError: if it does not start.
    """
    refused: list[str] = []
    with started_again(directory, DEFAULT_TIMES, refused) as stack:
        told.refused_starts += [f"{told.killed} was killed: {error}" for error in refused]
        if told.killed_at:
            told.ready.append((time.monotonic() - told.killed_at, told.killed))
        site = StackUnderTest(stack)
        with site.threads:
            yield site


def _kill(site: StackUnderTest, target: str, number: int, told: Told) -> int:
    """Kill the target at a random moment while orders are posted, and wait for the end of the launcher."""
    launcher, random = site.stack.launcher, Random(number)
    assert launcher is not None
    flow = OrderFlow(site.client, _an_order, seed=number, mean_pause_seconds=0.5)
    with flow.running():
        site.wait_until(lambda: len(flow.accepted) > 0)
        time.sleep(random.uniform(0, 4))
        killed = TARGETS[target](launcher.pid)
        told.killed, told.killed_at = target, time.monotonic()
        flow.give_up()
    site.stack.wait(_END_SECONDS)
    told.posted += flow.posted
    return killed


def _an_order(random: Random, key: str) -> Posted:
    """Return a market order, or a limit order that expires."""
    if random.random() < 0.8:
        return Posted(key, {"userId": "state"})
    expires_at = to_text(datetime.now(UTC) + timedelta(seconds=random.uniform(5, 20)))
    return Posted(key, {"userId": "state", "type": "limit", "limitPrice": 100_000, "expiresAt": expires_at})


def _expect_every_order(site: StackUnderTest, told: Told, result: Result) -> None:
    """Expect the record of every accepted order, its end, and no change after its end."""
    began = time.monotonic()
    for order_id in set(accepted(told.posted)) - told.missed:
        if (status := site.client.get(f"/api/orders/{order_id}").status_code) != 200:
            result.violations.append(f"I3 {order_id}: answered with 202, and after the end of {told.killed} {status}")
            told.missed.add(order_id)
    for request in told.posted:
        if request.unanswered:
            request.post_until_answered(site.client)
    ids = sorted(set(accepted(told.posted)) - told.missed)
    site.wait_for(ids, is_terminal, patience_seconds=_OVER_SECONDS)
    if told.killed_at:
        told.over.append(time.monotonic() - began)
        result.recovered(time.monotonic() - told.killed_at)
    for order_id, item in site.items(ids).items():
        state = str(item["status"]), int(item["seq"])
        if told.ended.get(order_id, state) != state:
            result.violations.append(
                f"I5 {order_id}: was {told.ended[order_id]}, and after the end of {told.killed} {state}"
            )
        if is_terminal(item):
            told.ended.setdefault(order_id, state)
        else:
            result.violations.append(
                f"I3 {order_id}: {state}, {_OVER_SECONDS} s after a start; {told.killed} was killed"
            )
            told.missed.add(order_id)


def _examine(site: StackUnderTest, told: Told, result: Result) -> None:
    """Compare all orders with the invariants and with the keys that they were posted under."""
    ids = sorted(set(accepted(told.posted)) - told.missed)
    site.wait_until_finalized(ids)
    result.orders += len(told.missed)
    site.judge(ids, result)
    result.violations += [f"key {one.key} is not answered: {one.answer}" for one in told.posted if one.unanswered]
    site.examine(result, len(told.posted))
