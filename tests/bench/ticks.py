"""Part D: the cost of a market check that triggers ten orders, by the number of other open orders.

All crowds share one emulator, each in separate tables, and every round checks each crowd once, so that other load on
the machine affects them equally.
"""

import gc
import os
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from unittest import mock

from chalicelib.engine import Engine
from tests.bench.calls import READ, counting
from tests.bench.crowd import Crowd, own_engine
from tests.bench.errors import BenchError
from tests.bench.subject import Subject

CROWDS = (100, 1_000, 10_000, 50_000)
ENVIRONMENT = {"VENUE_TIME_SCALE": "0", "RATE_LIMIT_PER_MINUTE": "0"}
TRIGGERED = 10
_WARM_UPS = 3
#: Far below the market, which is around 100.
_REACHED = Decimal(50)


@dataclass(frozen=True)
class Look:
    """The cost of a market check.

    ``cpu_ms`` covers all threads of this process; ``calls`` counts AWS calls by operation, and ``read`` counts the
    items that queries read.
    """

    wall_ms: float
    cpu_ms: float
    calls: dict[str, int]
    read: int


@dataclass(frozen=True)
class Ticks:
    """The market checks with one crowd, by round; ``waiting`` is the number of orders far from their limits."""

    waiting: int
    looks: list[Look]

    def median(self, measure: str) -> float:
        return median(float(getattr(look, measure)) for look in self.looks)

    @property
    def calls(self) -> dict[str, int]:
        return self.looks[-1].calls

    def ratio(self, first: "Ticks", measure: str) -> float:
        """The median over the rounds of this crowd's cost divided by the first crowd's."""
        pairs = zip(self.looks, first.looks, strict=True)
        return median(float(getattr(one, measure) / getattr(other, measure)) for one, other in pairs)


def measure(subject: Subject, rounds: int) -> list[Ticks]:
    """:raises BenchError: if a check does not trigger exactly the orders at the market price."""
    with mock.patch.dict(os.environ, subject.environment), ExitStack() as engines:
        sides: list[tuple[Ticks, Engine, Crowd]] = []
        for waiting in CROWDS:
            engine, crowd = engines.enter_context(own_engine(subject, f"ticks-{waiting}"))
            began = time.monotonic()
            crowd.fill(waiting)
            print(f"  {waiting} orders wait, after {time.monotonic() - began:.0f} s", file=sys.stderr)
            sides.append((Ticks(waiting, []), engine, crowd))
        for number in range(_WARM_UPS + rounds):
            for ticks, engine, crowd in sides:
                look = _look(engine, crowd)
                if number >= _WARM_UPS:
                    ticks.looks.append(look)
        return [ticks for ticks, _, _ in sides]


def _look(engine: Engine, crowd: Crowd) -> Look:
    crowd.add(TRIGGERED, _REACHED)
    gc.collect()
    with counting() as made:
        cpu, began = time.process_time(), time.perf_counter()
        released = engine.market.look()
        wall_ms, cpu_ms = (time.perf_counter() - began) * 1000, (time.process_time() - cpu) * 1000
    if released != TRIGGERED:
        raise BenchError(f"a look triggered {released} orders instead of {TRIGGERED}")
    read = made.pop(READ)
    return Look(wall_ms, cpu_ms, dict(made), read)
