"""Many threads that do one thing at one moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

_Outcome = TypeVar("_Outcome")

THREADS = 20


def race(runner: Callable[[int], _Outcome], threads: int = THREADS) -> list[_Outcome]:
    """What each of ``threads`` runners returns, by its number; all start together. Their errors are raised."""
    start = Barrier(threads, timeout=10)

    def run(number: int) -> _Outcome:
        start.wait()
        return runner(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))
