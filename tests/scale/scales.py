"""What the simulation says of loads and deployments that this machine cannot run."""

from dataclasses import dataclass, replace
from functools import cache
from itertools import takewhile
from math import ceil

from tests.scale.against_kit import BURST_ORDERS, LAUNCH_ORDERS, simulated_burst, simulated_launch
from tests.scale.figures import quantile
from tests.scale.model import Life, Setup, World, poisson
from tests.scale.venue_times import endless, mean_seconds

#: An order's own time on AWS, with 256 MB and with 512 MB: calls, and CPU by the share of a vCPU. A test holds them
#: to what ``make cost`` computes.
OWN_SECONDS, OWN_SECONDS_512 = 0.155, 0.10
#: From the end of an invocation to the slot's next message.
_GAP_SECONDS = 0.02
_COLD_START_SECONDS = 0.8
AWS = Setup(build=OWN_SECONDS, gap=_GAP_SECONDS, cold_start=_COLD_START_SECONDS)

RATES = (10, 1_000, 100_000)
ENVIRONMENTS = (10, 40, 1_000, 4_000, 10_000)
#: Larger deployments are simulated at this size, with as much less load. That is pessimistic: the larger a pool, the
#: less its orders wait at the same use.
_MAX_SIMULATED = 100
_RUN_SECONDS = 90.0
#: The first orders find free slots.
_WARM_UP_SECONDS = 30.0
#: More arrivals than this share of what the slots can do only lengthen the queue.
_ENOUGH = 1.5
_LATE = 0.99
#: Environments that Lambda adds a second for a queue, 300 a minute, from five on.
_RAMP_A_SECOND, _FIRST = 5, 5


@dataclass(frozen=True)
class Load:
    """Orders a second in and through, and seconds of waiting for a slot; ``None`` if the queue only grows."""

    rate: float
    environments: int
    throughput: float
    median_wait: float | None
    late_wait: float | None

    @property
    def wait_after_minute(self) -> float:
        """The wait of an order that arrives after a minute of this load."""
        return 60 * max(0.0, self.rate / self.throughput - 1)

    @property
    def ramp_seconds(self) -> float:
        """How long Lambda takes to start as many environments."""
        return max(0.0, (self.environments - _FIRST) / _RAMP_A_SECOND)


def load(rate: float, environments: int) -> Load:
    """A steady load of independent orders, once every environment is warm."""
    scale = max(1.0, environments / _MAX_SIMULATED)
    simulated = ceil(environments / scale)
    most = _ENOUGH * simulated / (mean_seconds() + OWN_SECONDS)
    is_over = rate / scale > most
    ended = _ended(min(rate / scale, most), simulated)
    throughput = scale * len(ended) / (_RUN_SECONDS - _WARM_UP_SECONDS)
    if is_over:
        return Load(rate, environments, throughput, None, None)
    waits = [life.wait for life in ended if life.arrived > _WARM_UP_SECONDS]
    return Load(rate, environments, throughput, quantile(waits, 0.5), quantile(waits, _LATE))


@cache
def _ended(rate: float, environments: int) -> list[Life]:
    """The orders that end after the warm-up."""
    world = World(replace(AWS, environments=environments, cold_start=0), "load")
    world.arrive(takewhile(lambda at: at < _RUN_SECONDS, poisson(rate, "load")), endless("load"))
    world.run(_RUN_SECONDS)
    return [life for life in world.lives if life.ended is not None and life.ended > _WARM_UP_SECONDS]


def loads() -> str:
    """Every rate with every number of environments, as Markdown."""
    lines = [
        "| orders/s | slots | through/s | wait p50 | wait p99 | after a minute one waits | Lambda starts them in |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for rate in RATES:
        for environments in ENVIRONMENTS:
            found = load(rate, environments)
            waits = "grows | grows" if found.median_wait is None else _waits(found)
            after = "" if found.median_wait is not None else _time(found.wait_after_minute)
            through = found.throughput if found.median_wait is None else rate
            cells = [f"{rate:,}", f"{environments:,}", _digits(through), waits, after, _time(found.ramp_seconds)]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _digits(number: float) -> str:
    """Two significant digits, or three of larger numbers."""
    return f"{number:.1f}" if number < 100 else f"{float(f'{number:.3g}'):,.0f}"


def _waits(found: Load) -> str:
    return f"{found.median_wait:.2f} s | {found.late_wait:.2f} s"


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.0f} h"


def levers() -> str:
    """A burst at once on ten slots, with what was tried."""
    tried = {
        "as deployed: 10 environments, batches of 1, 256 MB": AWS,
        "512 MB": replace(AWS, build=OWN_SECONDS_512),
        "batches of 5, concurrency 2": replace(AWS, environments=2, batch=5, build=5 * OWN_SECONDS),
        "one attempt in ten fails and is tried again": replace(AWS, failing=0.1),
        "20 environments": replace(AWS, environments=20),
    }
    head = f"| {BURST_ORDERS} orders at once | orders a minute | median wait | p95 |"
    lines = [head, "| --- | ---: | ---: | ---: |"]
    for name, setup in tried.items():
        found = simulated_burst(setup, max)
        lines.append(f"| {name} | {found.per_minute:.0f} | {found.median_wait:.1f} s | {found.late_wait:.1f} s |")
    return "\n".join(lines)


def launches() -> str:
    """The time from a launch to ``submitted``, by the number of orders and slots, in environments that are warm."""
    lines = [
        "| snipers on one launch | slots | median | last |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for orders in (LAUNCH_ORDERS, 10 * LAUNCH_ORDERS):
        for environments in (10, 100, 1_000):
            found = simulated_launch(replace(AWS, environments=environments, cold_start=0), orders)
            lines.append(f"| {orders:,} | {environments:,} | {found.median:.1f} s | {found.last:.1f} s |")
    return "\n".join(lines)


def limited() -> str:
    """What the default rate limit does to a load of ten orders a second, for half an hour."""
    rate, seconds, per_minute = 10.0, 1800.0, 100
    world = World(replace(AWS, rate_a_minute=per_minute), "limited")
    world.arrive(takewhile(lambda at: at < seconds, poisson(rate, "limited")), endless("limited"))
    world.run(seconds)
    accepted = [life for life in world.lives if life.queued is not None]
    refused = [life for life in world.lives if life.queued is None and life.arrived < seconds - 1]
    first = min(life.arrived for life in refused)
    started = [life for life in accepted if life.started is not None and life.started > 60]
    rows = [
        ("started a minute", f"{60 * len(started) / (seconds - 60):.0f}"),
        ("first refusal (429) after", _time(first)),
        ("refused in half an hour", f"{len(refused) / len(world.lives):.0%}"),
        ("longest wait", _time(max(life.wait for life in started))),
    ]
    lines = [f"| {rate:.0f} orders/s against {per_minute} a minute | |", "| --- | ---: |"]
    return "\n".join([*lines, *(f"| {name} | {value} |" for name, value in rows)])


def tables() -> dict[str, str]:
    """The tables of ``docs/scaling.md`` by their places."""
    return {"loads": loads(), "burst": levers(), "launches": launches(), "limited": limited()}
