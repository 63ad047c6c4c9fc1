"""Figures of a measurement, and how they are written."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple


class Row(NamedTuple):
    """A line of a table: several values are separated by `` / ``."""

    what: str
    measured: str
    aim: str = ""


def percentile(values: Sequence[float], share: float) -> float:
    """The percentile for a share between 0 and 1."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def in_ms(seconds: Sequence[float]) -> list[float]:
    return [value * 1000 for value in seconds]


def p50_p99(values: Sequence[float]) -> str:
    return f"{median(values):.1f} / {percentile(values, 0.99):.1f}"


def p50_p95(values: Sequence[float]) -> str:
    return f"{median(values):.1f} / {percentile(values, 0.95):.1f}"
