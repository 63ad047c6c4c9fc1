"""The log lines of the engine in this process, as a deployed function writes them."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chalicelib.logs import LineFormatter

Line = dict[str, Any]


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []
        self.setFormatter(LineFormatter({"STACK_NAME": "engine-test"}))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


@contextmanager
def engine_lines(level: int = logging.INFO) -> Iterator[list[Line]]:
    """The lines that the engine logs in this block."""
    engine, handler = logging.getLogger("chalicelib"), _Lines()
    before = engine.level
    engine.addHandler(handler)
    engine.setLevel(level)
    try:
        yield handler.lines
    finally:
        engine.removeHandler(handler)
        engine.setLevel(before)


def values_of(lines: list[Line], metric: str) -> list[tuple[str | None, float]]:
    """Each value of a metric, with that of its own dimension, read as CloudWatch reads it."""
    found: list[tuple[str | None, float]] = []
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            [dimensions] = directive["Dimensions"]
            assert line[dimensions[0]] == "engine-test"
            if metric in [one["Name"] for one in directive["Metrics"]]:
                found.append((line[dimensions[1]] if len(dimensions) > 1 else None, line[metric]))
    return found
