"""Times are RFC 3339 in UTC on the wire and aware ``datetime`` values here; durations are written ``30m``."""

import re
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from orderengine.amounts import shown
from orderengine.errors import InvalidArgument

Time: TypeAlias = datetime | str
Duration: TypeAlias = timedelta | int | float | str

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def time_text(name: str, value: Time) -> str:
    """The RFC 3339 text of a time with milliseconds; text is passed on as it is, for the engine to judge.

    :raises InvalidArgument: for a ``datetime`` without a time zone, which names no moment, and for other values.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, datetime):
        raise InvalidArgument(f"{name} is {shown(value)}, and not a datetime or RFC 3339 text")
    if value.utcoffset() is None:
        raise InvalidArgument(f"{name} is {value!r}, which has no time zone: add tzinfo=UTC")
    try:
        moment = value.astimezone(UTC)
    except OverflowError:
        raise InvalidArgument(f"{name} is {value!r}, which is not in the years 1 to 9999 of UTC") from None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_time(text: str) -> datetime:
    """:raises ValueError: if the text is no RFC 3339 time."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return found


def seconds(name: str, value: float) -> float:
    """:raises InvalidArgument: for what is not a positive, finite number of seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise InvalidArgument(f"{name} is {shown(value)}, and not a positive number of seconds")
    return value


def duration(name: str, value: Duration) -> timedelta:
    """A duration from ``timedelta``, seconds, or text such as ``90s``, ``30m``, ``1h30m``, ``2d``.

    :raises InvalidArgument: if it is none of these, or not positive.
    """
    found = _duration(value)
    if found is None or found <= timedelta():
        raise InvalidArgument(
            f"{name} is {shown(value)}, and not a positive duration such as '90s', '30m' or '1h30m'"
        )
    return found


def _duration(value: Duration) -> timedelta | None:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, str):
            match = _DURATION.fullmatch(value.strip())
            if match is None or not any(match.groups()):
                return None
            days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
            return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        return timedelta(seconds=value)
    except (OverflowError, TypeError, ValueError):
        return None
