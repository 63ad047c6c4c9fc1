"""Times as RFC 3339 in UTC with milliseconds, their only form outside a process."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """:raises ValueError: if the text is not a time with a zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time needs a zone, as in 2026-01-31T12:00:00Z")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("out of range") from error


def earlier(at: datetime, by: timedelta) -> datetime:
    """The time by so much earlier. A time before the epoch stays as it is: the first years have none before them."""
    return at - by if at > EPOCH else at


def to_ms(at: datetime) -> int:
    """Milliseconds since the epoch."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def milliseconds(span: timedelta) -> int:
    """Whole milliseconds of a time span."""
    return span // timedelta(milliseconds=1)


def to_seconds(at: datetime) -> int:
    """Whole seconds since the epoch."""
    return to_ms(at) // 1000


def from_ms(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)


def earliest_ms(at_ms: int, other: datetime | None) -> int:
    """The earlier of two moments, in milliseconds since the epoch; the second may be absent."""
    return at_ms if other is None else min(at_ms, to_ms(other))
