"""RFC 3339 in UTC with milliseconds, the only form of a time adapters a process."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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


def to_ms(at: datetime) -> int:
    """Milliseconds since the epoch."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def from_ms(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def earliest_ms(at_ms: int, than: datetime | None) -> int:
    """This moment, in milliseconds since the epoch, or the other one if that is earlier."""
    return at_ms if than is None else min(at_ms, to_ms(than))
