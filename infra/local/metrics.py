"""``GET /metrics`` of a local stack: what the functions' log lines count, for Prometheus.

The lines are those from which CloudWatch makes its metrics on AWS. A request reads the lines since the one before it,
so a stack that nobody observes does no work for this. All counts begin with the launcher, which empties the logs.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from chalicelib.observability.metrics import METRICS, Metric, Unit
from infra.local.config import HOST
from infra.local.tail import Tail

PATH = "/metrics"
#: A gauge has lines once a minute, and only while it is not 0.
_MAX_GAUGE_AGE_SECONDS = 90
#: Upper bounds in seconds, from a fast stage to an order that waits for the rate limit's next minutes.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 7.5, 10, 20, 30, 60, 120, 300, 900)
#: Codes and outcomes are few; the bound keeps a broken writer from filling the memory.
_MAX_PARTS = 64
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


class FunctionMetrics:
    """The metrics of a directory of log files. ``now`` is the time in seconds since the epoch."""

    def __init__(self, logs: Path, now: Callable[[], float] = time.time) -> None:
        # Each counter would have a further series with the time of its first value.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._tail = Tail(logs)
        self._now = now
        self._lock = Lock()
        self._registry = CollectorRegistry()
        self._metrics = {metric.name: _collector(metric, self._registry) for metric in METRICS}
        self._kinds = {metric.name: metric for metric in METRICS}
        self._parts: dict[str, set[str]] = {}
        self._gauge_at_ms: dict[str, int] = {}

    def text(self) -> bytes:
        """Return the present values in the text format of Prometheus."""
        with self._lock:
            for _, line in self._tail.new_lines():
                # Most lines count nothing, and need no reading.
                if '"_aws"' in line:
                    self._take(line)
            self._reset_old_gauges()
            return generate_latest(self._registry)

    def _take(self, line: str) -> None:
        try:
            record = json.loads(line)
            found = list(_values(record))
            at_ms = int(record["_aws"]["Timestamp"])
        except (ValueError, LookupError, TypeError, AttributeError):
            return
        for name, part, value in found:
            if name in self._kinds and self._knows(name, part):
                self._count(self._kinds[name], part, value, at_ms)

    def _knows(self, name: str, part: str) -> bool:
        parts = self._parts.setdefault(name, set())
        if part not in parts and len(parts) < _MAX_PARTS:
            parts.add(part)
        return part in parts

    def _count(self, metric: Metric, part: str, value: float, at_ms: int) -> None:
        collector: Any = self._metrics[metric.name]
        collector = collector.labels(part) if metric.dimension else collector
        if metric.is_gauge:
            if at_ms >= self._gauge_at_ms.get(metric.name, 0):
                collector.set(value)
                self._gauge_at_ms[metric.name] = at_ms
        elif metric.unit is Unit.MILLISECONDS:
            collector.observe(value / 1000)
        else:
            collector.inc(value)

    def _reset_old_gauges(self) -> None:
        for name, at_ms in self._gauge_at_ms.items():
            if self._now() - at_ms / 1000 > _MAX_GAUGE_AGE_SECONDS:
                gauge: Any = self._metrics[name]
                gauge.set(0)


def _values(record: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    """Yield each metric of a line with its name, the value of its own dimension, and its value."""
    for directive in record["_aws"]["CloudWatchMetrics"]:
        [dimensions] = directive["Dimensions"]
        part = str(record[dimensions[1]]) if len(dimensions) > 1 else ""
        for metric in directive["Metrics"]:
            yield metric["Name"], part, float(record[metric["Name"]])


def _collector(metric: Metric, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    """Return the metric under the name that Prometheus' conventions ask for, which ends with its base unit."""
    words = _WORDS.sub("_", metric.name).lower()
    labels = [metric.dimension.lower()] if metric.dimension else []
    if metric.is_gauge:
        return Gauge(f"engine_{words}", metric.meaning, labels, registry=registry)
    if metric.unit is Unit.MILLISECONDS:
        return Histogram(f"engine_{words}_seconds", metric.meaning, labels, registry=registry, buckets=_BUCKETS)
    return Counter(f"engine_{words}", metric.meaning, labels, registry=registry)


def serve(metrics: FunctionMetrics) -> ThreadingHTTPServer:
    """Serve the metrics on a free port of this machine, on a thread of their own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = metrics.text()
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE_LATEST)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Log nothing: a scrape every few seconds is no news."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return server
