"""Threads that do the same thing at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

_Outcome = TypeVar("_Outcome")

THREADS = 20


def race(runner: Callable[[int], _Outcome], threads: int = THREADS) -> list[_Outcome]:
    """Start ``threads`` runners together; returns their results by number, or raises the first error."""
    start = Barrier(threads, timeout=10)

    def run(number: int) -> _Outcome:
        start.wait()
        return runner(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))
