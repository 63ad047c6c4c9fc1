"""Durations as a tester writes them."""

import re
from datetime import timedelta

_TEXT = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+(?:\.[0-9]+)?)s)?", re.ASCII)

Duration = str | int | float | timedelta


def seconds_of(duration: Duration) -> float:
    """Seconds of a text like ``"90s"``, ``"30m"`` or ``"1h30m"``, of a number of seconds, or of a timedelta.

    :raises ValueError: for any other text, and for a time that would run backwards.
    """
    if isinstance(duration, timedelta):
        seconds = duration.total_seconds()
    elif isinstance(duration, str):
        found = _TEXT.fullmatch(duration.strip())
        if not found or not any(found.groups()):
            raise ValueError(f"{duration!r} is no duration: write '90s', '30m', '1h30m' or '2d'")
        days, hours, minutes, rest = (float(part or 0) for part in found.groups())
        seconds = ((days * 24 + hours) * 60 + minutes) * 60 + rest
    elif isinstance(duration, int | float) and not isinstance(duration, bool):
        seconds = duration
    else:
        raise ValueError(f"{duration!r} is no duration: write '90s', or a number of seconds")
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"time does not run backwards: {duration!r}")
    return seconds
