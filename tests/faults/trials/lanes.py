"""Scheduling of orders when all processor slots are busy, and cancellation of orders in any state."""

import time
from random import Random

from chalicelib.codec.times import to_ms
from tests.e2e.client import parse
from tests.faults.effort import Effort
from tests.faults.result import Result
from tests.faults.stack_under_test import StackUnderTest, events_of, span_of
from tests.faults.trials.messages import SLOTS

#: Swaps slow enough for a backlog on any machine.
_SLOW = "slow:1000"


def high_priority_in_a_backlog(site: StackUnderTest, effort: Effort) -> Result:
    """Submit high-priority orders behind a backlog; the next free slot must start each of them."""
    result = Result("high_priority orders in a backlog")
    backlog = site.accept(effort.pick(60, 500), "backlog", lambda _: _SLOW)
    wait_for_a_backlog(site, backlog)
    high_priority = []
    for number in range(effort.pick(3, 10)):
        high_priority.append(site.client.accept(userId=f"high_priority-{number}", priority="high")["orderId"])
        result.faults += 1
    result.recovered(site.wait_until_finalized(high_priority))
    site.wait_until_finalized(backlog)
    starts = [span_of(item)[0] for item in site.items(backlog).values()]
    for order_id, item in site.items(high_priority).items():
        accepted, started = to_ms(events_of(item)[0].at), span_of(item)[0]
        overtook = sum(accepted < at < started for at in starts)
        # Every slot may already have received its next order.
        if overtook > SLOTS:
            result.violations.append(f"{order_id}: {overtook} others began before this high-priority order")
    site.judge([*backlog, *high_priority], result)
    return result


def one_user_with_most_of_the_load(site: StackUnderTest, effort: Effort) -> Result:
    """Submit nine of ten orders for one user; the orders of the other user must start before most of that backlog."""
    result = Result("nine of ten orders are one user's")
    greedy = site.accept(effort.pick(90, 450), "greedy", lambda _: _SLOW)
    wait_for_a_backlog(site, greedy)
    modest = site.accept(effort.pick(10, 50), "modest", lambda _: _SLOW)
    result.faults = len(greedy)
    result.recovered(site.wait_until_finalized(modest))
    site.wait_until_finalized(greedy)
    items = site.items(modest).values()
    first, last = min(to_ms(events_of(item)[0].at) for item in items), max(span_of(item)[0] for item in items)
    between = sum(first < span_of(item)[0] < last for item in site.items(greedy).values())
    # A fair queue starts about as many orders of each user; a FIFO queue starts nearly the whole backlog first.
    if between > 2 * len(modest) + SLOTS:
        result.violations.append(f"{between} orders of the greedy user began before the other's {len(modest)} had")
    result.notes.append(f"{between} of {len(greedy)} began while the other's {len(modest)} waited")
    site.judge([*greedy, *modest], result)
    return result


def cancelled_at_any_moment(site: StackUnderTest, effort: Effort) -> Result:
    """Cancel orders in any state: an acknowledged cancel is final, and after a refused one the order fills."""
    result = Result("cancelled at any moment")
    random = Random(6)

    def cancel(number: int) -> tuple[str, int, str]:
        order_id = site.client.accept(userId="cancels", simulate=random.choice([None, "slow:300", "tx_dropped:1"]))[
            "orderId"
        ]
        time.sleep(random.uniform(0, 1.5))
        answer = site.client.request("DELETE", f"/api/orders/{order_id}")
        return order_id, answer.status_code, answer.text

    answers = list(site.threads.map(cancel, range(effort.pick(40, 400))))
    ids = [order_id for order_id, _, _ in answers]
    result.faults = len(ids)
    result.recovered(site.wait_until_finalized(ids))
    items = site.items(ids)
    for order_id, code, text in answers:
        status = items[order_id]["status"]
        if (code, status) not in ((200, "cancelled"), (409, "confirmed")):
            result.violations.append(f"I8 {order_id}: the cancel was answered with {code} and it is {status}")
        if code == 200 and parse(text)["seq"] != items[order_id]["seq"]:
            result.violations.append(f"I5 {order_id}: went on after it was cancelled")
    won = sum(code == 200 for _, code, _ in answers)
    result.notes.append(f"the cancel won {won} times, and came too late {len(ids) - won} times")
    site.judge(ids, result)
    return result


def wait_for_a_backlog(site: StackUnderTest, ids: list[str]) -> None:
    """Wait until all slots are busy."""
    site.wait_until(lambda: sum(item["status"] != "pending" for item in site.items(ids).values()) >= SLOTS)
