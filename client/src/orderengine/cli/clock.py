"""Times by the engine's clock: the one here may be wrong."""

from datetime import UTC, datetime, timedelta

from orderengine import Client, errors
from orderengine.cli.values import is_duration
from orderengine.core.answers import server_time
from orderengine.times import duration, time_text


def now(client: Client) -> datetime:
    """The engine's time to the second, or this machine's if the engine does not tell it."""
    return server_time(client.request("HEAD", "/health")) or datetime.now(UTC)


def later(client: Client, name: str, text: str | None) -> str | None:
    """A time as it is, or the time after a duration from now.

    :raises InvalidArgument: for one after the year 9999.
    """
    return _moved(client, name, text, 1)


def ago(client: Client, name: str, text: str | None) -> str | None:
    """A time as it is, or the time before now by a duration.

    :raises InvalidArgument: for one before the year 1.
    """
    return _moved(client, name, text, -1)


def _moved(client: Client, name: str, text: str | None, sign: int) -> str | None:
    if text is None or not is_duration(text):
        return text
    by: timedelta = sign * duration(name, text)
    try:
        return time_text(name, now(client) + by)
    except OverflowError:
        raise errors.InvalidArgument(f"{name} {text} is not in the years 1 to 9999") from None
