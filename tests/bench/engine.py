"""Parts B and C: orders per second end to end without venue latency, compared with a no-op chain in one emulator.

Rounds of the engine and of the no-op alternate, so that other load on the machine affects both. A round of either
ends once all its POSTs are answered and its queue is empty: no message is visible, in flight or delayed. The first
queue request follows the last answer, so that polling does not disturb the load. A message leaves the queue after
its handler has returned, and so after the engine has written the history. The check that Postgres has all orders of
an engine round therefore succeeds at once; its cost is part of the round.
"""

from dataclasses import dataclass
from statistics import median

from tests.bench import twin
from tests.bench.cpu import emulator_seconds, spent, worker_seconds
from tests.bench.load import post
from tests.bench.subject import Subject, wait_until
from tests.bench.sustained import ORDER

ENVIRONMENT = {"VENUE_TIME_SCALE": "0", "RATE_LIMIT_PER_MINUTE": "0"}
CLIENTS = 8
_WARM_UP_ORDERS = 150
_WARM_UPS = 5
_ROUND_SECONDS = 120
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Side:
    """The engine or the no-op: its URL, queue and functions, and whether the round checks the history."""

    url: str
    queue: str
    api: str
    processor: str
    keeps_history: bool


@dataclass(frozen=True)
class Round:
    """The result of a round. CPU is in milliseconds per order; ``None`` if it cannot be read."""

    per_second: float
    api_cpu_ms: float | None
    processor_cpu_ms: float | None
    emulator_cpu_ms: float | None
    post_p50_ms: float
    post_p95_ms: float
    workers_started: int

    @property
    def cpu_ms(self) -> float | None:
        if self.api_cpu_ms is None or self.processor_cpu_ms is None:
            return None
        return self.api_cpu_ms + self.processor_cpu_ms


@dataclass(frozen=True)
class Comparison:
    """The rounds of the engine and of the no-op, in pairs."""

    engine: list[Round]
    noop: list[Round]

    @property
    def ratio(self) -> float:
        """The median over the pairs of the engine's rate divided by the no-op's."""
        pairs = zip(self.engine, self.noop, strict=True)
        return median(one.per_second / other.per_second for one, other in pairs)


def measure(subject: Subject, orders: int, rounds: int) -> Comparison:
    """:raises BenchError: if an order is lost, refused or late."""
    prefix = "engine-local"
    engine = Side(subject.orders_url, subject.orders_queue, f"{prefix}-APIHandler", f"{prefix}-ProcessOrders", True)
    noop = Side(*twin.deploy(subject), twin.API, twin.PROCESSOR, False)
    for name, side in (("engine", engine), ("noop", noop)):
        _warm_up(subject, side, name)
    result = Comparison([], [])
    for number in range(rounds):
        result.engine.append(_round(subject, engine, f"bench-engine-{number}", orders))
        result.noop.append(_round(subject, noop, f"bench-noop-{number}", orders))
    return result


def _warm_up(subject: Subject, side: Side, name: str) -> None:
    """Run rounds until the emulator starts no further workers for this side."""
    for number in range(_WARM_UPS):
        if not _round(subject, side, f"bench-warm-{name}-{number}", _WARM_UP_ORDERS).workers_started:
            return


def _round(subject: Subject, side: Side, user: str, orders: int) -> Round:
    before = _cpu_seconds(subject, side)
    posted = post(side.url, {**ORDER, "userId": user}, orders, CLIENTS)

    def is_done() -> bool:
        return subject.is_drained(side.queue) and (not side.keeps_history or subject.confirmed(user) == orders)

    def failure() -> str:
        return f"round {user} of {orders} orders; in the history: {subject.statuses(user)}"

    ended = wait_until(is_done, _ROUND_SECONDS, _POLL_SECONDS, failure)
    after = _cpu_seconds(subject, side)
    cpu: list[float | None] = [None, None, None]
    if before and after:
        cpu = [spent(one, other) * 1000 / orders for one, other in zip(before, after, strict=True)]
    return Round(
        per_second=orders / (ended - posted.began),
        api_cpu_ms=cpu[0],
        processor_cpu_ms=cpu[1],
        emulator_cpu_ms=cpu[2],
        post_p50_ms=posted.percentile(0.5),
        post_p95_ms=posted.percentile(0.95),
        workers_started=sum(len(other.keys() - one.keys()) for one, other in zip(before, after, strict=True)),
    )


def _cpu_seconds(subject: Subject, side: Side) -> list[dict[int, float]]:
    """CPU seconds by process of the API workers, the processor workers and the emulator; empty if unknown."""
    workers = [worker_seconds(subject.state_dir, f"{name}-") for name in (side.api, side.processor)]
    known = [found for found in workers if found is not None]
    return [*known, emulator_seconds(subject.state_dir)] if known else []
