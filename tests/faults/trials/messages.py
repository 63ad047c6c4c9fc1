"""Duplicate, late, reordered and unreadable messages, lost venue answers, repeated keys, and bursts."""

from concurrent.futures import ThreadPoolExecutor
from random import Random

from tests.faults.effort import Effort
from tests.faults.rates import most_in_flight
from tests.faults.result import Result
from tests.faults.stack_under_test import StackUnderTest, span_of
from tests.faults.trials.virtual import unknown_order

SLOTS = 10
_TIMES = 100


def doubles(site: StackUnderTest, effort: Effort) -> Result:
    """Send four duplicates of every order message, in random order and with random delays."""
    result = Result("every message up to five times")
    random = Random(5)
    ids = site.accept(effort.pick(15, 150), "doubles")
    bodies = [body for body in map(site.message_of, ids) for _ in range(4)]
    random.shuffle(bodies)
    for number, body in enumerate(bodies):
        site.send(body, delay_seconds=random.choice([0, 0, 1, effort.pick(2, 20)]))
        result.faults = number + 1
    result.recovered(site.wait_until_finalized(ids))
    # A duplicate message of a terminal order changes nothing.
    ended = {order_id: item["seq"] for order_id, item in site.items(ids).items()}
    late = ids[: effort.pick(5, 50)]
    for order_id in late:
        site.send(site.message_of(order_id))
    result.faults += len(late)
    wait_until_empty(site, "ORDERS", result)
    changed = {one for one, item in site.items(ids).items() if item["seq"] != ended[one]}
    result.violations += [f"I5 {order_id}: changed after its end" for order_id in changed]
    site.judge(ids, result)
    return result


def poison(site: StackUnderTest, effort: Effort) -> Result:
    """Send unreadable messages among good ones: both queues drain, and no good order fails."""
    result = Result("poison messages")
    damaged = [f'{{"v": {version}, "order": {{}}, "published": 0}}' for version in (1, 2, 3)]
    bodies = ["not JSON", "[]", "{}", '{"v": 1}', *damaged, unknown_order()]
    for body in bodies * effort.pick(1, 5):
        site.send(body)
        result.faults += 1
    ids = site.accept(effort.pick(10, 50), "poison")
    result.recovered(site.wait_until_finalized(ids))
    wait_until_empty(site, "ORDERS", result)
    wait_until_empty(site, "DEAD_LETTERS", result)
    site.judge(ids, result)
    return result


def replies_lost(site: StackUnderTest, effort: Effort) -> Result:
    """Lose the venue's answer to three swaps in ten after the swap has landed."""
    result = Result("3 of 10 swaps landed, reply lost")
    number = effort.pick(20, 300)
    ids = site.accept(number, "replies", lambda one: "landed_reply_lost:1" if one % 10 < 3 else None)
    result.faults = sum(one % 10 < 3 for one in range(number))
    result.recovered(site.wait_until_finalized(ids))
    wrong = {one: item["status"] for one, item in site.items(ids).items() if item["status"] != "confirmed"}
    result.violations += [f"{order_id}: {status} though its swap landed" for order_id, status in wrong.items()]
    site.judge(ids, result)
    return result


def one_key(site: StackUnderTest, effort: Effort) -> Result:
    """Submit one key a hundred times in parallel: one order, equal answers, and a refusal of another body."""
    result = Result("one key a hundred times in parallel")
    for number in range(effort.pick(1, 5)):
        key = f"key-{number}"
        result.faults += _TIMES - 1
        with ThreadPoolExecutor(_TIMES) as threads:
            answers = list(threads.map(lambda _, key=key: site.client.order(key, userId="keys"), range(_TIMES)))
        bodies = {(answer.status_code, answer.text) for answer in answers}
        ids = {answer.json().get("orderId") for answer in answers}
        if len(bodies) != 1 or None in ids:
            result.violations.append(f"one key, {len(ids)} orders and {len(bodies)} answers: {sorted(bodies)[:3]}")
        other = site.client.order(key, userId="keys", amountIn=2)
        if other.status_code != 422:
            result.violations.append(f"another body under the key is answered with {other.status_code}")
        mine = [str(one) for one in ids if one]
        result.recovered(site.wait_until_finalized(mine))
        site.judge(mine, result)
    return result


def burst(site: StackUnderTest, effort: Effort) -> Result:
    """Submit many orders at once: at most ten are in flight, and no message becomes a dead letter."""
    result = Result("a burst")
    ids = site.accept(effort.pick(60, 500), "burst")
    result.faults = 1
    result.recovered(site.wait_until_finalized(ids))
    spans = [span_of(item) for item in site.items(ids).values()]
    most = most_in_flight(spans)
    if most > SLOTS:
        result.violations.append(f"{most} orders in flight")
    # The maximum depends on the machine, so the trial notes it and checks only its bound.
    result.notes.append(f"most in flight: {most}")
    if letters := site.depth("DEAD_LETTERS"):
        result.violations.append(f"{letters} dead letters")
    site.judge(ids, result)
    return result


def wait_until_empty(site: StackUnderTest, queue: str, result: Result) -> None:
    if not site.wait_until(lambda: site.depth(queue) == 0):
        result.violations.append(f"{site.depth(queue)} messages are left in {queue}")
