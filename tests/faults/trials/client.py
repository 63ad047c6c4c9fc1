"""Bots behind a network that cuts sockets, loses answers and repeats calls, while the API restarts."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from uuid import uuid4

from tests.faults.bot_judge import bot_violations
from tests.faults.bots import Told, Wanted, follow, trade, trade_async
from tests.faults.client_proxy import ClientProxy
from tests.faults.effort import Effort
from tests.faults.processes import UNAVAILABLE
from tests.faults.proxy import Harm, Rule
from tests.faults.restarts import RestartableStack
from tests.faults.result import Result
from tests.faults.stack_under_test import ENVIRONMENT, StackUnderTest, a_state_directory

_API = ("APIHandler", "WebsocketConnect", "WebsocketMessage", "WebsocketDisconnect")
_RULES = (
    Rule("/api/orders/execute", 0.10, Harm.LOSE),
    Rule("/api/orders/execute", 0.05, Harm.HALF),
    Rule("/api/orders/execute", 0.10, Harm.DOUBLE),
    Rule("/api/", 0.05, Harm.CUT),
    Rule("/api/", 0.05, Harm.LOSE),
    Rule("/api/", 0.02, Harm.HALF),
)
#: Faults of orders, by which they take different times and numbers of events.
_SIMULATED = (None, None, None, "slow:300", "network_error:1", "tx_dropped:1")


@dataclass
class Trouble:
    """What happens to the API meanwhile. ``restart`` restarts it, and keeps its data.

    Each comes after so many calls, so that a slow machine has no more of them.
    """

    proxy: ClientProxy
    site: Callable[[], StackUnderTest]
    restart: Callable[[], None]
    calls_per_kill: int
    calls_per_restart: int
    killed: int = 0
    restarts: int = 0

    def run(self, ended: threading.Event) -> None:
        """Kill workers one by one, and restart the API at times."""
        random, site = Random(17), self.site()
        while not ended.wait(0.1):
            if self.proxy.served >= self.calls_per_restart * (self.restarts + 1):
                self.restart()
                self.restarts += 1
                site = self.site()
            elif self.proxy.served >= self.calls_per_kill * (self.killed + 1) and (workers := _workers(site)):
                self.killed += _kill(random.choice(workers))


def _workers(site: StackUnderTest) -> list[int]:
    return [worker for function in _API for worker in site.workers(function)]


def _kill(worker: int) -> int:
    with suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)
        return 1
    return 0


def cut_clients(site: StackUnderTest, effort: Effort) -> Result:
    """Cut clients, kill workers of the API one by one and all at once. Short form: 60 orders."""
    result, number = Result("clients cut, answers lost"), effort.pick(60, 300)

    def restart() -> None:
        for worker in _workers(site):
            _kill(worker)

    with ClientProxy(site.stack.endpoints["http"], seed=15).running() as proxy:
        trouble = Trouble(proxy, lambda: site, restart, calls_per_kill=120, calls_per_restart=500)
        told = _run(proxy, trouble, number, result)
    _examine(site, told, result)
    return result


def client(effort: Effort) -> Result:
    """The same with the whole stack restarted on its data, stopped or killed. Long form: 1,000 orders."""
    result, number = Result("clients cut, the stack restarted", skipped=UNAVAILABLE), effort.pick(60, 1_000)
    if result.skipped:
        return result
    with a_state_directory() as directory, RestartableStack(directory, ENVIRONMENT) as started:
        with ClientProxy(started.stack.endpoints["http"], seed=16).running() as proxy:

            def restart() -> None:
                started.restart()
                proxy.lead_to(started.stack.endpoints["http"])

            per_restart = effort.pick(300, 2_500)
            trouble = Trouble(proxy, lambda: StackUnderTest(started.stack), restart, 120, per_restart)
            told = _run(proxy, trouble, number, result)
        result.notes += [f"a start was refused: {one}" for one in started.refused]
        site = StackUnderTest(started.stack)
        with site.threads:
            _examine(site, told, result)
            site.examine(result, number)
    return result


def _examine(site: StackUnderTest, told: Told, result: Result) -> None:
    """Compare what the bots were told with what the engine shows, and this with the invariants."""
    ids = [story.order_id for story in told.stories if story.order_id]
    site.wait_until_finalized(ids)
    result.violations += bot_violations(site.client, told)
    site.judge(ids, result)


def _run(proxy: ClientProxy, trouble: Trouble, number: int, result: Result) -> Told:
    """Let bots place the orders and watch them to their ends, half of them with threads and half awaited."""
    proxy.rules = _RULES
    random, told, began = Random(number), Told(), time.monotonic()
    wanted = [Wanted(f"{one}-{uuid4()}", random.choice(_SIMULATED), one % 12 == 5) for one in range(number)]
    users = {"sync": wanted[::2], "async": wanted[1::2]}
    ended = threading.Event()

    def placed() -> set[str]:
        mine = {one.name for one in users["sync"]}
        return {story.order_id for story in told.stories if story.wanted.name in mine and story.order_id}

    with ThreadPoolExecutor(3) as executor:
        trading = [
            executor.submit(trade, proxy.url, f"{number}-sync", users["sync"], told),
            executor.submit(lambda: asyncio.run(trade_async(proxy.url, f"{number}-async", users["async"], told))),
        ]
        following = executor.submit(follow, proxy.url, f"{number}-sync", told, ended, placed)
        for one in trading:
            one.add_done_callback(lambda _: ended.set() if all(each.done() for each in trading) else None)
        # A stack ends with the thread that has started it.
        trouble.run(ended)
        for done in (*trading, following):
            done.result()
    _tell(proxy, trouble, told, time.monotonic() - began, result)
    return told


def _tell(proxy: ClientProxy, trouble: Trouble, told: Told, seconds: float, result: Result) -> None:
    """Note the table of the trial."""
    lost = proxy.harms[Harm.LOSE] + proxy.harms[Harm.HALF]
    result.faults = (
        proxy.cuts + proxy.harmed + proxy.doubled_frames + proxy.dropped_frames + trouble.killed + trouble.restarts
    )
    table = {
        "orders": len(told.stories),
        "sockets cut": proxy.cuts,
        "calls cut": proxy.harms[Harm.CUT],
        "answers lost": lost,
        "calls doubled": proxy.harms[Harm.DOUBLE],
        "frames doubled": proxy.doubled_frames,
        "frames dropped": proxy.dropped_frames,
        "workers killed": trouble.killed,
        "API restarts": trouble.restarts,
        "retries": told.count("retries"),
        "unknown outcomes": told.count("unknown_outcomes"),
        "resolved": told.resolved,
        "begun again by bots": told.resumed,
        "clients that followed": told.followers,
        "reconnects": told.count("reconnects"),
        "long polls": told.count("long_polls"),
        "polls": told.count("polls"),
        "doubles dropped": told.count("doubles"),
        "gaps": told.count("gaps"),
        "gaps filled": told.count("gaps_filled"),
        "seconds": round(seconds),
    }
    result.notes += [f"{name:22} {value:6}" for name, value in table.items()]
