"""The clock of the process. Entry points and services receive it; tests pass a clock of their own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
#: The clocks of two functions, or of a function and Postgres, differ by less than this.
MAX_CLOCK_DIFFERENCE = timedelta(milliseconds=100)


def utc_now() -> datetime:
    """The current time in whole milliseconds, the precision in which the engine stores times."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
