"""A bounded cache whose entries last a fixed time."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class TimedCache(Generic[_Key, _Value]):
    """Keeps each value for ``seconds``, and the newest ``max_entries`` of them. Threads may share it."""

    def __init__(self, seconds: float, max_entries: int, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._max_entries = max_entries
        self._monotonic = monotonic
        self._lock = Lock()
        self._entries: dict[_Key, tuple[_Value, float]] = {}

    def get(self, key: _Key) -> _Value | None:
        value, until = self._entries.get(key, (None, 0.0))
        return value if self._monotonic() < until else None

    def put(self, key: _Key, value: _Value) -> None:
        with self._lock:
            # The dictionary keeps the order of its entries, so the first is the oldest.
            self._entries.pop(key, None)
            self._entries[key] = (value, self._monotonic() + self._seconds)
            if len(self._entries) > self._max_entries:
                del self._entries[next(iter(self._entries))]
