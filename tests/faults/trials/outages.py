"""Processes killed, PostgreSQL stopped and frozen, AWS calls refused, lost, throttled and delayed."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from chalicelib.domain.status import Status
from tests.faults.effort import Effort
from tests.faults.proxy import FaultProxy, Harm, Rule
from tests.faults.result import Result
from tests.faults.stack_under_test import StackUnderTest, events_of, is_over

SLOTS = 10
#: Every function that works on orders, by its logical name.
ALL_FUNCTIONS = ("APIHandler", "ProcessOrders", "ReplayStreams", "CloseDeadLetters", "RunWatchdog")


def workers_killed(site: StackUnderTest, effort: Effort) -> Result:
    """Every processor's worker is killed while ten orders are in flight."""
    result = Result("workers killed with ten orders in flight")
    for number in range(effort.pick(1, 5)):
        ids = site.accept(SLOTS, f"killed-{number}", lambda _: "slow:3000")
        site.wait_for(ids, lambda item: len(events_of(item)) > 1 or is_over(item))
        # Any moment of the swap, or of what comes before it.
        time.sleep(0.7 * number)
        workers = site.workers("ProcessOrders")
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        result.faults += len(workers)
        killed = time.monotonic()
        site.at_rest(ids)
        result.recovered(time.monotonic() - killed)
        site.judge(ids, result)
    return result


def postgres_stopped(site: StackUnderTest, effort: Effort) -> Result:
    """PostgreSQL is stopped while orders run, and started again."""
    result = Result("PostgreSQL stopped and started again")
    before = site.accept(5, "stopped")
    site.postgres.stop()
    try:
        ids = before + _trade_without_history(site, effort.pick(15, 100), effort.pick(4, 90), result)
    finally:
        site.postgres.start()
    return _history_comes_back(site, ids, result)


def postgres_frozen(site: StackUnderTest, effort: Effort) -> Result:
    """PostgreSQL takes connections and answers nothing, and then wakes up."""
    result = Result("PostgreSQL frozen")
    before = site.accept(5, "frozen")
    with site.postgres.frozen():
        ids = before + _trade_without_history(site, effort.pick(5, 30), effort.pick(0, 30), result)
    return _history_comes_back(site, ids, result)


def _trade_without_history(site: StackUnderTest, number: int, seconds: float, result: Result) -> list[str]:
    began = time.monotonic()
    result.faults += 1
    ids = site.accept(number, "no-history")
    site.wait_for(ids, is_over)
    statuses = {str(item["status"]) for item in site.items(ids).values()}
    if statuses != {Status.CONFIRMED.value}:
        result.violations.append(f"without PostgreSQL the orders are {statuses}")
    if (status := site.client.get(f"/api/orders/{ids[0]}").status_code) != 200:
        result.violations.append(f"without PostgreSQL an order by its id is answered with {status}")
    if (status := site.client.get("/api/orders").status_code) != 503:
        result.violations.append(f"without PostgreSQL the list is answered with {status}")
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    return ids


def _history_comes_back(site: StackUnderTest, ids: list[str], result: Result) -> Result:
    result.recovered(site.at_rest(ids, watch=True))
    site.judge(ids, result)
    return result


@contextmanager
def through_proxy(
    site: StackUnderTest, functions: Sequence[str], rules: Sequence[Rule], *, pushes: bool = False
) -> Iterator[FaultProxy]:
    """Put a proxy between functions and AWS, or before the pushes to sockets, that harms calls as the rules say."""
    variable = "WEBSOCKET_ENDPOINT" if pushes else "AWS_ENDPOINT_URL"
    with FaultProxy(site.stack.endpoints["aws"]).running() as proxy:
        proxy.rules = rules
        path = urlsplit(site.environment[variable]).path
        with site.environment_of(functions, **{variable: proxy.url + path}):
            yield proxy


def queue_fails_after_the_write(site: StackUnderTest, effort: Effort) -> Result:
    """Orders are written, and the queue does not take their messages: accepted all the same, and ended."""
    rules = [Rule("SQS.SendMessage", 1, Harm.REFUSE)]
    return _harmed(site, "queue fails after the order was written", effort.pick(8, 60), ["APIHandler"], rules)


def calls_throttled(site: StackUnderTest, effort: Effort) -> Result:
    """A fifth of all calls to DynamoDB is throttled."""
    rules = [Rule("DynamoDB.", 0.2, Harm.THROTTLE)]
    return _harmed(site, "a fifth of DynamoDB's calls throttled", effort.pick(20, 150), ALL_FUNCTIONS, rules)


def answers_lost(site: StackUnderTest, effort: Effort) -> Result:
    """Calls have their effect and their answers are lost."""
    rules = [Rule("DynamoDB.", 0.1, Harm.LOSE), Rule("SQS.", 0.1, Harm.LOSE)]
    return _harmed(site, "a tenth of all answers lost", effort.pick(20, 150), ALL_FUNCTIONS, rules)


def calls_delayed(site: StackUnderTest, effort: Effort) -> Result:
    """Some calls take half a second, and a few longer than anybody waits for them."""
    rules = [Rule("DynamoDB.", 0.02, Harm.DELAY, 4), Rule("DynamoDB.", 0.1, Harm.DELAY, 0.5)]
    return _harmed(site, "calls delayed, some beyond their time-out", effort.pick(10, 60), ALL_FUNCTIONS, rules)


def _harmed(site: StackUnderTest, name: str, number: int, functions: Sequence[str], rules: Sequence[Rule]) -> Result:
    """Orders posted until accepted, under a key each; they must end with the harm still going on."""
    result = Result(name)
    with through_proxy(site, functions, rules) as proxy:
        posted = time.monotonic()
        ids = list(site.threads.map(lambda one: insist(site, f"{name}-{one}"), range(number)))
        site.at_rest(ids, watch=True)
        result.recovered(time.monotonic() - posted)
        result.faults += proxy.harmed
    if len(set(ids)) != number:
        result.violations.append(f"{number} keys made {len(set(ids))} orders")
    site.judge(ids, result)
    return result


def insist(site: StackUnderTest, key: str) -> str:
    """The id of an order that is posted again, under its key, while the answer is 5xx."""
    deadline = time.monotonic() + 60
    while True:
        answer = site.client.order(userId="harmed", key=key)
        if answer.status_code == 202 or time.monotonic() > deadline:
            return str(answer.json().get("orderId", f"none: {answer.text}"))
        time.sleep(0.5)
