"""How many orders at a time, and how many in a minute, from when they began and ended."""

from collections.abc import Sequence


def most_in_flight(spans: Sequence[tuple[int, int]]) -> int:
    """The most orders under way at one moment; at the same millisecond an end comes before a beginning."""
    flying = most = 0
    for _, change in sorted(change for began, ended in spans for change in ((began, 1), (ended, -1))):
        flying += change
        most = max(most, flying)
    return most


def most_in_a_minute(begun_ms: Sequence[int], window_ms: int = 60_000) -> int:
    """The most orders whose first attempt began within any one minute."""
    times = sorted(begun_ms)
    first = most = 0
    for number, at_ms in enumerate(times):
        while at_ms - times[first] >= window_ms:
            first += 1
        most = max(most, number - first + 1)
    return most
