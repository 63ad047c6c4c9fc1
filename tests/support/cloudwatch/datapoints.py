"""The values of metrics by minute: those that AWS counts itself, and those in the log lines of the engine."""

import io
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import Any

#: A namespace, a name and the dimensions.
Key = tuple[str, str, frozenset[tuple[str, str]]]


class Datapoints:
    """``now_ms`` is the time of what happens. A name of a dimension that is no word is given by ``dimensions``."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._values: defaultdict[Key, defaultdict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.first_minute = self.minute

    @property
    def minute(self) -> int:
        return self._now_ms() // 60_000

    @property
    def minutes(self) -> range:
        """Every minute so far."""
        return range(self.first_minute, self.minute + 1)

    def add(self, namespace: str, name: str, value: float, dimensions: Mapping[str, str]) -> None:
        self._values[namespace, name, frozenset(dimensions.items())][self.minute].append(value)

    def read(self, line: str) -> None:
        """Take the metrics of a log line in the embedded metric format; every other line has none."""
        data = json.loads(line)
        for directive in data.get("_aws", {}).get("CloudWatchMetrics", ()):
            for names in directive["Dimensions"]:
                dimensions = {name: str(data[name]) for name in names}
                for metric in directive["Metrics"]:
                    values = data[metric["Name"]]
                    for value in values if isinstance(values, list) else [values]:
                        self.add(directive["Namespace"], metric["Name"], value, dimensions)

    def of(self, namespace: str, name: str, dimensions: Mapping[str, str], statistic: str) -> dict[int, float]:
        """The statistic of each minute that has data."""
        key = namespace, name, frozenset(dimensions.items())
        values: Mapping[int, list[float]] = self._values.get(key, {})
        return {minute: _statistic(found, statistic) for minute, found in values.items()}


class LineSink(io.TextIOBase):
    """The standard output of the functions."""

    def __init__(self, datapoints: Datapoints) -> None:
        self._datapoints = datapoints
        self.lines: list[str] = []

    def write(self, text: str) -> int:
        for line in filter(None, text.split("\n")):
            self.lines.append(line)
            self._datapoints.read(line)
        return len(text)


def _statistic(values: Sequence[float], statistic: str) -> float:
    whole: dict[str, Callable[[Sequence[float]], Any]] = {
        "Sum": sum,
        "Maximum": max,
        "Minimum": min,
        "Average": lambda found: sum(found) / len(found),
    }
    if statistic in whole:
        return float(whole[statistic](values))
    rank = ceil(len(values) * float(statistic.removeprefix("p")) / 100)
    return sorted(values)[max(rank, 1) - 1]
