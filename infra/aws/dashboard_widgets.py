"""The graphs of the dashboard, one row each."""

from dataclasses import dataclass

from infra.aws.metrics import Metric, api, engine, function, queue, sockets, table

_PROCESSOR, _LOOKS = "ProcessOrders", "RunLooks"


@dataclass(frozen=True)
class Widget:
    """A graph of metrics, each with its label. ``unit`` is the label of the axis."""

    title: str
    metrics: tuple[tuple[str, Metric], ...]
    unit: str = "a minute"


def _percentiles(metric: Metric, *statistics: str) -> tuple[tuple[str, Metric], ...]:
    return tuple((statistic, metric.by(statistic)) for statistic in statistics)


_STAGES = tuple(
    (f"{stage} {statistic}", engine("StageTime", statistic, Stage=stage))
    for stage in ("routing", "building", "submitted")
    for statistic in ("p50", "p95", "p99")
)
WIDGETS = (
    Widget(
        "Orders accepted, attempts, orders ended",
        (
            ("accepted", engine("OrdersAccepted")),
            ("attempts", engine("OrdersStarted")),
            *(
                (outcome, engine("OrdersEnded", Outcome=outcome))
                for outcome in ("confirmed", "failed", "cancelled", "expired")
            ),
        ),
    ),
    Widget("Wait for a worker", _percentiles(engine("QueueWait"), "p50", "p95", "p99"), "ms"),
    Widget("Time of a market order", _percentiles(engine("OrderTime"), "p50", "p95", "p99"), "ms"),
    Widget("Time of each stage", _STAGES, "ms"),
    Widget(
        "Slots in use, and orders waiting",
        (("slots", engine("SlotsInUse", "Maximum")), ("queue", queue("OrdersQueue"))),
        "orders",
    ),
    Widget(
        "Repairs",
        (
            ("sent again", engine("OrdersResent")),
            ("leases lost", engine("LeasesLost")),
            ("overdue", engine("OrdersOverdue", "Maximum")),
            ("late looks", engine("LooksSkipped")),
        ),
    ),
    Widget(
        "Failures",
        (
            ("caught", engine("CaughtFailures")),
            ("messages", engine("MessagesFailed")),
            ("processor", function(_PROCESSOR)),
            ("looks", function(_LOOKS)),
        ),
    ),
    Widget(
        "Dead letters",
        (
            ("orders", queue("DeadLettersQueue")),
            ("unprocessable", queue("UnprocessableQueue")),
            ("replays", queue("ReplayDeadLettersQueue")),
            ("fan-out", queue("FanOutDeadLettersQueue")),
        ),
        "messages",
    ),
    Widget("History lag", (("oldest", engine("HistoryLagSeconds", "Maximum")),), "s"),
    Widget(
        "Sockets and frames",
        (
            ("opened", sockets("ConnectCount")),
            ("frames", engine("FramesPushed")),
            ("late", engine("FramesLate")),
            ("closed", engine("SocketsClosed")),
        ),
    ),
    Widget("HTTP API", (("requests", api("Count", "Sum")), ("5xx", api("5XXError", "Sum")))),
    Widget("Latency of the HTTP API", _percentiles(api("Latency", "p50"), "p50", "p99"), "ms"),
    Widget(
        "Throttles",
        (
            *((name, function(name, "Throttles")) for name in ("APIHandler", _PROCESSOR, _LOOKS)),
            ("table", table("OrdersTable", "WriteThrottleEvents")),
        ),
    ),
    Widget(
        "Capacity units of the orders table",
        (
            ("written", table("OrdersTable", "ConsumedWriteCapacityUnits")),
            ("read", table("OrdersTable", "ConsumedReadCapacityUnits")),
        ),
    ),
)
