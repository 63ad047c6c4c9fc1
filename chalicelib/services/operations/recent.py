"""The answers about the engine's state that a process gives again for a moment."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")

_MAX_AGE = timedelta(seconds=1)


class Recent(Generic[T]):
    """The value that ``ask`` returned within the last second, or a new one: a flood of calls asks once a second."""

    def __init__(self, ask: Callable[[], T], now: Callable[[], datetime]) -> None:
        self._ask = ask
        self._now = now
        self._last: tuple[datetime, T] | None = None

    def __call__(self) -> T:
        now = self._now()
        if self._last is None or not timedelta() <= now - self._last[0] < _MAX_AGE:
            self._last = now, self._ask()
        return self._last[1]
