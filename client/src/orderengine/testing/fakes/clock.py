"""A clock that only the test advances."""

from datetime import UTC, datetime, timedelta

_START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


class FakeClock:
    """A clock that starts at a fixed time, unless it gets another; ``sleep`` advances it without waiting."""

    def __init__(self, start: datetime = _START) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def now_ms(self) -> int:
        return int(self._now.timestamp() * 1000)

    def sleep(self, seconds: float) -> None:
        self._now += timedelta(milliseconds=round(seconds * 1000))
