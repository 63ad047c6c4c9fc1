"""Workers of every function killed at random moments, many of them before their first line."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from random import Random

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from chalicelib.codec.times import from_text, to_ms, to_text
from chalicelib.domain.status import Status
from chalicelib.simulation.launches import pool_address
from tests.faults.effort import Effort
from tests.faults.killing import Killer
from tests.faults.order_flow import OrderFlow, Posted, accepted
from tests.faults.processes import UNAVAILABLE, part_of
from tests.faults.recovery import Life, judge_recovery
from tests.faults.result import Result
from tests.faults.stack_under_test import DEFAULT_TIMES, StackUnderTest, a_stack_under_test, events_of, is_terminal
from tests.faults.trials.messages import wait_until_empty

_USER = "killed"
#: Orders that are accepted before the first kill of a round.
_ACCEPTED_FIRST = 10
_FAR, _MARKETABLE = 100_000, 1


def kills(effort: Effort) -> Result:
    """Kill workers while orders flow, in rounds: first as they start, then as they run, and so on.

    The short form notes the orders that take longer than the requirement, and allows a slow machine four times as
    long. Long form: 500 kills. Short form: 25.
    """
    result = Result("workers killed, cold and running", skipped=UNAVAILABLE)
    if result.skipped:
        return result
    with a_stack_under_test(DEFAULT_TIMES) as site:
        assert site.stack.launcher is not None
        killer = Killer(part_of(site.stack.launcher.pid, "emulator_process.py"), Random(8))
        posted: list[Posted] = []
        for number in range(effort.pick(2, 20)):
            posted += _round(site, killer, number, effort.pick(12 + number, 25))
            result.faults = len(killer.kills)
        ids = accepted(posted)
        result.violations += [f"key {one.key} is not answered: {one.answer}" for one in posted if one.unanswered]
        refused = Counter(one.answer[:3] for one in posted if one.refused)
        result.notes.append(f"{len(ids)} requests accepted; refused, such as after their expiry: {dict(refused)}")
        site.wait_until_finalized(ids)
        lives = lives_of(site, posted)
        judge_recovery(lives, killer.kills, effort.pick(4, 1), result)
        judge_cancels(posted, lives, result)
        wait_until_empty(site, "DEAD_LETTERS", result)
        site.judge(ids, result)
        site.examine(result, len(posted))
    return result


def _round(site: StackUnderTest, killer: Killer, number: int, kills: int) -> list[Posted]:
    """Kill workers of one kind while orders flow; return the requests, all of whose orders are over."""
    flow = OrderFlow(site.client, an_order_of_any_kind, seed=number, mean_pause_seconds=0.7)
    with _following(site), flow.running():
        site.wait_until(lambda: len(flow.accepted) >= _ACCEPTED_FIRST)
        if number % 2:
            killer.kill_running(kills)
        else:
            killer.kill_cold(kills)
    site.wait_for(flow.accepted, is_terminal)
    return flow.posted


def an_order_of_any_kind(random: Random, key: str) -> Posted:
    """Return a market order, mostly; or one with a limit, for a launch, or with a cancel; all end by themselves."""
    body = {"userId": _USER}
    match random.choices(["market", "cancel", "marketable", "limit", "sniper"], [65, 8, 12, 10, 5])[0]:
        case "cancel":
            return Posted(key, body, cancel_after=random.uniform(0, 2))
        case "marketable":
            return Posted(key, {**body, "type": "limit", "limitPrice": _MARKETABLE})
        case "limit":
            return Posted(key, {**body, "type": "limit", "limitPrice": _FAR, **_expiring(random)})
        case "sniper":
            return Posted(
                key, {**body, "type": "sniper", "tokenOut": pool_address("kills", key), **_expiring(random)}
            )
    return Posted(key, body)


def _expiring(random: Random) -> dict[str, str]:
    return {"timeInForce": "GTD", "expiresAt": to_text(datetime.now(UTC) + timedelta(seconds=random.uniform(3, 12)))}


@contextmanager
def _following(site: StackUnderTest) -> Iterator[None]:
    """Follow all orders on a socket that connects again and again, so that replays run and are killed too."""
    ended = threading.Event()

    def follow() -> None:
        while not ended.wait(0.2):
            with (
                suppress(OSError, TimeoutError, WebSocketException),
                connect(f"{site.client.ws}/ws?userId={_USER}", open_timeout=10) as socket,
            ):
                for _ in range(20):
                    socket.recv(timeout=1)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def lives_of(site: StackUnderTest, posted: Sequence[Posted]) -> list[Life]:
    items = site.items(one.order_id for one in posted if one.order_id)
    return [
        Life(one.order_id, events_of(items[one.order_id]), _expiry_ms(one))
        for one in posted
        if one.order_id and one.order_id in items
    ]


def _expiry_ms(request: Posted) -> int | None:
    text = request.body.get("expiresAt")
    return to_ms(from_text(text)) if text else None


def judge_cancels(posted: Sequence[Posted], lives: Sequence[Life], result: Result) -> None:
    ends = {life.order_id: life.end.status for life in lives}
    result.violations += [
        f"I8 {one.order_id}: a cancel was acknowledged, and it is {ends[one.order_id]}"
        for one in posted
        if one.cancel_acknowledged and one.order_id in ends and ends[one.order_id] is not Status.CANCELLED
    ]
