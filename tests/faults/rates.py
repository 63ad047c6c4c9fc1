"""Maximum concurrency and maximum rate of orders, computed from their start and end times."""

from collections.abc import Sequence


def most_in_flight(spans: Sequence[tuple[int, int]]) -> int:
    """Return the maximum number of orders in flight at one moment; in the same millisecond, ends precede starts."""
    flying = most = 0
    for _, change in sorted(change for began, ended in spans for change in ((began, 1), (ended, -1))):
        flying += change
        most = max(most, flying)
    return most


def most_in_a_minute(begun_ms: Sequence[int], window_ms: int = 60_000) -> int:
    """Return the maximum number of orders whose first attempt started within a sliding window of one minute."""
    times = sorted(begun_ms)
    first = most = 0
    for number, at_ms in enumerate(times):
        while at_ms - times[first] >= window_ms:
            first += 1
        most = max(most, number - first + 1)
    return most
