"""Every metric of the engine, and the form in which a log line carries values of it to CloudWatch.

CloudWatch reads the values from the line of the event itself (Embedded Metric Format), so a metric costs no call. An
absent event costs nothing: a custom metric is billed for the hours in which it has data.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

NAMESPACE = "OrderExecutionEngine"
#: The dimension of every metric: the name of the CloudFormation stack.
STACK = "Stack"


class Unit(StrEnum):
    COUNT = "Count"
    MILLISECONDS = "Milliseconds"
    SECONDS = "Seconds"


@dataclass(frozen=True, slots=True)
class Metric:
    """``dimension`` is the name of the one beside the stack. The values of a gauge are states, all others add up."""

    name: str
    unit: Unit
    meaning: str
    dimension: str | None = None
    is_gauge: bool = False

    def of(self, value: float = 1, part: str | None = None) -> "Measured":
        """A value. ``part`` is that of the dimension, which a metric with one needs."""
        return Measured(self, value, part)


@dataclass(frozen=True, slots=True)
class Measured:
    metric: Metric
    value: float
    part: str | None = None


ORDERS_ACCEPTED = Metric("OrdersAccepted", Unit.COUNT, "Orders that the engine accepted.")
ORDERS_STARTED = Metric("OrdersStarted", Unit.COUNT, "Leases that workers took for a new attempt.")
QUEUE_WAIT = Metric("QueueWait", Unit.MILLISECONDS, "From the moment an order could start to its first start.")
STAGE_TIME = Metric("StageTime", Unit.MILLISECONDS, "The time of each stage of an attempt.", "Stage")
ORDERS_ENDED = Metric("OrdersEnded", Unit.COUNT, "Orders that became terminal.", "Outcome")
ORDERS_FAILED = Metric("OrdersFailed", Unit.COUNT, "Orders that failed, by code.", "Code")
ORDER_TIME = Metric("OrderTime", Unit.MILLISECONDS, "Market orders, from acceptance to the terminal status.")
ATTEMPTS_FAILED = Metric("AttemptsFailed", Unit.COUNT, "Attempts that failed, by code.", "Code")
LEASES_LOST = Metric("LeasesLost", Unit.COUNT, "Leased orders that another writer moved.")
ORDERS_RESENT = Metric("OrdersResent", Unit.COUNT, "Overdue orders that the watchdog queued again.")
ORDERS_OVERDUE = Metric(
    "OrdersOverdue",
    Unit.COUNT,
    "Late orders that a look of the watchdog found.",
    is_gauge=True,
)
ORDERS_TRIGGERED = Metric("OrdersTriggered", Unit.COUNT, "Open orders that the market triggered.")
FRAMES_PUSHED = Metric("FramesPushed", Unit.COUNT, "Frames of orders that sockets took.")
FRAMES_LATE = Metric("FramesLate", Unit.COUNT, "Sockets too slow for a write, which the replay queue catches up.")
SOCKETS_CLOSED = Metric("SocketsClosed", Unit.COUNT, "Slow sockets that the engine closed.")
HISTORY_FAILED = Metric("HistoryFailed", Unit.COUNT, "Failures to record an order in Postgres.")
HISTORY_LAG = Metric("HistoryLag", Unit.COUNT, "Terminal orders that the history lacks.", is_gauge=True)
HISTORY_LAG_SECONDS = Metric(
    "HistoryLagSeconds", Unit.SECONDS, "The time since the acceptance of the oldest of these orders.", is_gauge=True
)
SLOTS_IN_USE = Metric("SlotsInUse", Unit.COUNT, "Orders under lease.", is_gauge=True)
MESSAGES_FAILED = Metric("MessagesFailed", Unit.COUNT, "Messages that failed and went back to their queue.")
LOOKS_SKIPPED = Metric("LooksSkipped", Unit.COUNT, "Looks that came too late and were skipped.")
CAUGHT_FAILURES = Metric("CaughtFailures", Unit.COUNT, "Log lines of level ERROR or above.")

METRICS = tuple(one for one in list(globals().values()) if isinstance(one, Metric))


def embedded(measured: Iterable[Measured], stack: str, at_ms: int) -> dict[str, Any]:
    """The members of a log line by which CloudWatch extracts these values. A line has one value a metric."""
    groups: dict[str | None, list[dict[str, str]]] = {}
    members: dict[str, Any] = {STACK: stack}
    for one in measured:
        metric = one.metric
        groups.setdefault(metric.dimension, []).append({"Name": metric.name, "Unit": metric.unit.value})
        members[metric.name] = one.value
        if metric.dimension:
            members[metric.dimension] = one.part
    directives = [
        {"Namespace": NAMESPACE, "Dimensions": [[STACK, dimension] if dimension else [STACK]], "Metrics": metrics}
        for dimension, metrics in groups.items()
    ]
    return {**members, "_aws": {"Timestamp": at_ms, "CloudWatchMetrics": directives}}
