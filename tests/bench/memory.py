"""Part M: the memory that each function needs, and what sizes of Lambda cost: resident memory and CPU of its workers.

The stack's functions do their usual work, and some are invoked by hand. The duration of an invocation on AWS is then
arithmetic: its waits, which memory does not change, and its CPU time, stretched by the share of a core that the size
has. Lambda gives 1,769 MB one core.
"""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from chalicelib.clock import utc_now
from chalicelib.codec.groups import group_message
from chalicelib.codec.looks import look_message
from chalicelib.codec.times import to_ms
from chalicelib.ports.queues import LooksOfMinute, MarketLook, WatchdogLook
from tests.bench.cpu import spent, worker_seconds
from tests.bench.errors import BenchError
from tests.bench.figures import Row
from tests.bench.load import post
from tests.bench.subject import Subject
from tests.bench.sustained import ORDER

ENVIRONMENT = {"VENUE_TIME_SCALE": "0", "RATE_LIMIT_PER_MINUTE": "0", "AUTH": "off"}
SIZES_MB = (256, 512, 1024, 1769)
_CORE_MB = 1769
_USD_PER_GB_SECOND = 0.0000166667
_WARM_UP = 20
_CLIENTS = 2
#: A user without orders gets the first frame after five seconds.
_SOCKETS = 20
_FRAME_SECONDS = 60
_PREFIX = "engine-local-"

#: Milliseconds that an invocation waits for others, which are not measured here: round trips of 4 ms to DynamoDB and
#: 8 ms to SQS (``latency``), and the 2.5 s that a venue takes for a swap.
_WAITS_MS = {
    "APIHandler": 40.0,
    "WebsocketConnect": 16.0,
    "WebsocketMessage": 16.0,
    "WebsocketDisconnect": 16.0,
    "ProcessOrders": 2_560.0,
    "ReplayStreams": 30.0,
    "FanOut": 12.0,
    "RunLooks": 20.0,
}


@dataclass(frozen=True)
class Use:
    """What one function has used: the largest resident memory of a worker, and the CPU time of an invocation."""

    rss_mb: float
    cpu_ms: float
    waits_ms: float

    def milliseconds(self, size_mb: int) -> float:
        """The duration of an invocation with so much memory."""
        return self.waits_ms + self.cpu_ms * max(1.0, _CORE_MB / size_mb)

    def usd_per_million(self, size_mb: int) -> float:
        return self.milliseconds(size_mb) * 1000 * size_mb / 1024 * _USD_PER_GB_SECOND


def measure(subject: Subject, orders: int) -> dict[str, Use]:
    """:raises BenchError: if this system does not tell the CPU time of processes, or an order is lost."""
    sockets = ("WebsocketConnect", "WebsocketMessage", "WebsocketDisconnect", "ReplayStreams")
    work: dict[tuple[str, ...], Callable[[Subject, int], None]] = {
        ("APIHandler", "ProcessOrders"): _trade,
        sockets: _stream,
        ("RunLooks",): _look,
        ("FanOut",): _fan_out,
    }
    found: dict[str, Use] = {}
    for functions, do in work.items():
        do(subject, _WARM_UP)
        subject.wait_until_idle()
        found |= _used(subject, functions, partial(do, subject), orders)
    return found


def _used(subject: Subject, functions: tuple[str, ...], do: Callable[[int], None], number: int) -> dict[str, Use]:
    def now(function: str) -> dict[int, float]:
        seconds = worker_seconds(subject.state_dir, _PREFIX + function)
        if seconds is None:
            raise BenchError("the memory of functions is measured on Linux")
        return seconds

    before = {function: now(function) for function in functions}
    do(number)
    subject.wait_until_idle()
    # The last worker may still close its sockets.
    time.sleep(1)
    used = {}
    for function in functions:
        after = now(function)
        # A worker that started meanwhile would count with its start.
        seconds = spent(before[function], {one: of for one, of in after.items() if one in before[function]})
        rss = max((_peak_mb(worker) for worker in after), default=0.0)
        used[function] = Use(rss, seconds * 1000 / number, _WAITS_MS[function])
    return used


def _peak_mb(worker: int) -> float:
    lines = Path(f"/proc/{worker}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _trade(subject: Subject, number: int) -> None:
    post(subject.orders_url, {**ORDER, "userId": "bench-memory"}, number, _CLIENTS)


def _stream(subject: Subject, number: int) -> None:
    """Open sockets, each with the stream of a user, and send a message over each."""

    def one(_: int) -> None:
        with connect(f"{subject.ws}/ws?userId=nobody") as socket:
            socket.recv(timeout=_FRAME_SECONDS)
            socket.send(json.dumps({"action": "ping"}))
            socket.recv(timeout=_FRAME_SECONDS)

    with ThreadPoolExecutor(_SOCKETS) as clients:
        list(clients.map(one, range(number)))


def _look(subject: Subject, number: int) -> None:
    now_ms = to_ms(utc_now())
    kinds = (MarketLook(now_ms), WatchdogLook(now_ms), LooksOfMinute())
    _invoke(subject, "RunLooks", [look_message(kinds[turn % len(kinds)]) for turn in range(number)])


def _fan_out(subject: Subject, number: int) -> None:
    _invoke(subject, "FanOut", [group_message("none", 1)] * number)


def _invoke(subject: Subject, function: str, bodies: list[str]) -> None:
    name = subject.function_name(function)
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": "0", "ApproximateFirstReceiveTimestamp": "0"}
    for body in bodies:
        record = {"messageId": "bench", "receiptHandle": "bench", "body": body, "attributes": attributes}
        event: Any = {"Records": [record]}
        subject.functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())


def rows(found: dict[str, Use]) -> list[Row]:
    sizes = " / ".join(map(str, SIZES_MB))
    result = []
    for function, use in found.items():
        times = " / ".join(f"{use.milliseconds(size):.0f}" for size in SIZES_MB)
        prices = " / ".join(f"{use.usd_per_million(size):.2f}" for size in SIZES_MB)
        result += [
            Row(f"{function}: resident MB, CPU ms of an invocation", f"{use.rss_mb:.0f}, {use.cpu_ms:.1f}"),
            Row(f"  ms at {sizes} MB", times),
            Row("  USD for a million", prices),
        ]
    return result
