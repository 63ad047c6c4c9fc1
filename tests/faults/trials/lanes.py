"""Who is served when there is more to do than slots to do it in, and what is cancelled meanwhile."""

import time
from random import Random

from chalicelib.codec.times import to_ms
from tests.e2e.client import parse
from tests.faults.effort import Effort
from tests.faults.result import Result
from tests.faults.stack_under_test import StackUnderTest, events_of, span_of
from tests.faults.trials.messages import SLOTS

#: Long enough for a line to form, whatever the machine.
_SLOW = "slow:1000"


def urgent_in_a_backlog(site: StackUnderTest, effort: Effort) -> Result:
    """High-priority orders behind many others: no slot takes more than one order before it takes one of them."""
    result = Result("high_priority orders in a backlog")
    backlog = site.accept(effort.pick(60, 500), "backlog", lambda _: _SLOW)
    wait_for_a_line(site, backlog)
    high_priority = []
    for number in range(effort.pick(3, 10)):
        high_priority.append(site.client.accept(userId=f"high_priority-{number}", priority="high")["orderId"])
        result.faults += 1
    result.recovered(site.at_rest(high_priority))
    site.at_rest(backlog)
    starts = [span_of(item)[0] for item in site.items(backlog).values()]
    for order_id, item in site.items(high_priority).items():
        accepted, started = to_ms(events_of(item)[0].at), span_of(item)[0]
        overtook = sum(accepted < at < started for at in starts)
        # A slot that has just become free may be about to take its next order.
        if overtook > SLOTS:
            result.violations.append(f"{order_id}: {overtook} others began before this high-priority order")
    site.judge([*backlog, *high_priority], result)
    return result


def one_user_with_most_of_the_load(site: StackUnderTest, effort: Effort) -> Result:
    """One user has nine of ten orders: those of the other are done before the line that was there first."""
    result = Result("nine of ten orders are one user's")
    greedy = site.accept(effort.pick(90, 450), "greedy", lambda _: _SLOW)
    wait_for_a_line(site, greedy)
    modest = site.accept(effort.pick(10, 50), "modest", lambda _: _SLOW)
    result.faults = len(greedy)
    result.recovered(site.at_rest(modest))
    site.at_rest(greedy)
    items = site.items(modest).values()
    first, last = min(to_ms(events_of(item)[0].at) for item in items), max(span_of(item)[0] for item in items)
    between = sum(first < span_of(item)[0] < last for item in site.items(greedy).values())
    # Turn and turn about would be as many; first come, first served nearly all.
    if between > 2 * len(modest) + SLOTS:
        result.violations.append(f"{between} orders of the greedy user began before the other's {len(modest)} had")
    result.notes.append(f"{between} of {len(greedy)} began while the other's {len(modest)} waited")
    site.judge([*greedy, *modest], result)
    return result


def cancelled_at_any_moment(site: StackUnderTest, effort: Effort) -> Result:
    """Each order is cancelled at some moment of its life: the cancel is acknowledged, or too late, and holds."""
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
    result.recovered(site.at_rest(ids))
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


def wait_for_a_line(site: StackUnderTest, ids: list[str]) -> None:
    """Wait until all slots are taken."""
    site.wait_until(lambda: sum(item["status"] != "pending" for item in site.items(ids).values()) >= SLOTS)
