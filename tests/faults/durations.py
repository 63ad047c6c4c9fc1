"""The distribution of durations, as the notes of a trial give it."""

from collections.abc import Sequence
from math import ceil


def percentile(seconds: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile for a share between 0 and 1."""
    return sorted(seconds)[max(ceil(len(seconds) * share) - 1, 0)]


def distribution(seconds: Sequence[float]) -> str:
    """Return the number of durations, their percentiles and their maximum."""
    if not seconds:
        return "none"
    ranks = [f"p{share:.0f} {percentile(seconds, share / 100):.1f} s" for share in (50, 90, 99)]
    return f"{len(seconds)}: {', '.join(ranks)}, max {max(seconds):.1f} s"
