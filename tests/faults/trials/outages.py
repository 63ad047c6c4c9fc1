"""Faults of processes, of PostgreSQL, and of AWS calls: refused, throttled, delayed, or without an answer."""

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
from tests.faults.stack_under_test import StackUnderTest, events_of, is_terminal

SLOTS = 10
#: Logical names of all functions that write orders.
ALL_FUNCTIONS = ("APIHandler", "ProcessOrders", "ReplayStreams", "CloseDeadLetters", "RunLooks")


def workers_killed(site: StackUnderTest, effort: Effort) -> Result:
    """Kill every worker of the processor while ten orders are in flight."""
    result = Result("workers killed with ten orders in flight")
    for number in range(effort.pick(1, 5)):
        ids = site.accept(SLOTS, f"killed-{number}", lambda _: "slow:3000")
        site.wait_for(ids, lambda item: len(events_of(item)) > 1 or is_terminal(item))
        # Every round kills the workers at a later moment of the attempt.
        time.sleep(0.7 * number)
        workers = site.workers("ProcessOrders")
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        result.faults += len(workers)
        killed = time.monotonic()
        site.wait_until_finalized(ids)
        result.recovered(time.monotonic() - killed)
        site.judge(ids, result)
    return result


def postgres_stopped(site: StackUnderTest, effort: Effort) -> Result:
    """Stop PostgreSQL while orders execute, and start it again."""
    result = Result("PostgreSQL stopped and started again")
    before = site.accept(5, "stopped")
    site.postgres.stop()
    try:
        ids = before + _trade_without_history(site, effort.pick(15, 100), effort.pick(4, 90), result)
    finally:
        site.postgres.start()
    return _recover_history(site, ids, result)


def postgres_frozen(site: StackUnderTest, effort: Effort) -> Result:
    """Freeze PostgreSQL, so that it accepts connections without answering, and resume it."""
    result = Result("PostgreSQL frozen")
    before = site.accept(5, "frozen")
    with site.postgres.frozen():
        ids = before + _trade_without_history(site, effort.pick(5, 30), effort.pick(0, 30), result)
    return _recover_history(site, ids, result)


def _trade_without_history(site: StackUnderTest, number: int, seconds: float, result: Result) -> list[str]:
    began = time.monotonic()
    result.faults += 1
    ids = site.accept(number, "no-history")
    site.wait_for(ids, is_terminal)
    statuses = {str(item["status"]) for item in site.items(ids).values()}
    if statuses != {Status.CONFIRMED.value}:
        result.violations.append(f"without PostgreSQL the orders are {statuses}")
    if (status := site.client.get(f"/api/orders/{ids[0]}").status_code) != 200:
        result.violations.append(f"without PostgreSQL an order by its id is answered with {status}")
    if (status := site.client.get("/api/orders").status_code) != 503:
        result.violations.append(f"without PostgreSQL the list is answered with {status}")
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    return ids


def _recover_history(site: StackUnderTest, ids: list[str], result: Result) -> Result:
    result.recovered(site.wait_until_finalized(ids, watch=True))
    site.judge(ids, result)
    return result


@contextmanager
def through_proxy(
    site: StackUnderTest, functions: Sequence[str], rules: Sequence[Rule], *, pushes: bool = False
) -> Iterator[FaultProxy]:
    """Route AWS calls of functions, or their pushes to sockets, through a proxy that injects faults by ``rules``."""
    variable = "WEBSOCKET_ENDPOINT" if pushes else "AWS_ENDPOINT_URL"
    with FaultProxy(site.stack.endpoints["aws"]).running() as proxy:
        proxy.rules = rules
        path = urlsplit(site.environment[variable]).path
        with site.environment_of(functions, **{variable: proxy.url + path}):
            yield proxy


def queue_fails_after_the_write(site: StackUnderTest, effort: Effort) -> Result:
    """Refuse every message of the API handler; it still accepts the orders, and the watchdog queues them."""
    rules = [Rule("SQS.SendMessage", 1, Harm.REFUSE)]
    return _harmed(site, "queue fails after the order was written", effort.pick(8, 60), ["APIHandler"], rules)


def calls_throttled(site: StackUnderTest, effort: Effort) -> Result:
    """Throttle a fifth of all calls to DynamoDB."""
    rules = [Rule("DynamoDB.", 0.2, Harm.THROTTLE)]
    return _harmed(site, "a fifth of DynamoDB's calls throttled", effort.pick(20, 150), ALL_FUNCTIONS, rules)


def answers_lost(site: StackUnderTest, effort: Effort) -> Result:
    """Lose the answers to a tenth of all calls after their effect."""
    rules = [Rule("DynamoDB.", 0.1, Harm.LOSE), Rule("SQS.", 0.1, Harm.LOSE)]
    return _harmed(site, "a tenth of all answers lost", effort.pick(20, 150), ALL_FUNCTIONS, rules)


def calls_delayed(site: StackUnderTest, effort: Effort) -> Result:
    """Delay a tenth of the DynamoDB calls by half a second, and a few beyond the client's timeout."""
    rules = [Rule("DynamoDB.", 0.02, Harm.DELAY, 4), Rule("DynamoDB.", 0.1, Harm.DELAY, 0.5)]
    return _harmed(site, "calls delayed, some beyond their time-out", effort.pick(10, 60), ALL_FUNCTIONS, rules)


def _harmed(site: StackUnderTest, name: str, number: int, functions: Sequence[str], rules: Sequence[Rule]) -> Result:
    """Submit orders, each under its own key until accepted; they must end while the faults continue."""
    result = Result(name)
    with through_proxy(site, functions, rules) as proxy:
        posted = time.monotonic()
        ids = list(site.threads.map(lambda one: submit_until_accepted(site, f"{name}-{one}"), range(number)))
        site.wait_until_finalized(ids, watch=True)
        result.recovered(time.monotonic() - posted)
        result.faults += proxy.harmed
    if len(set(ids)) != number:
        result.violations.append(f"{number} keys made {len(set(ids))} orders")
    site.judge(ids, result)
    return result


def submit_until_accepted(site: StackUnderTest, key: str) -> str:
    """Submit an order under a key until the answer is 202, for at most a minute; return its id."""
    deadline = time.monotonic() + 60
    while True:
        answer = site.client.order(userId="harmed", key=key)
        if answer.status_code == 202 or time.monotonic() > deadline:
            return str(answer.json().get("orderId", f"none: {answer.text}"))
        time.sleep(0.5)
