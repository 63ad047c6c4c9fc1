"""Pools of threads, which a process builds once, and work that a call divides among them."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Executor, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
_Arguments = ParamSpec("_Arguments")


class ContextThreads(ThreadPoolExecutor):
    """Threads whose calls have the context variables of their callers, and so the ids of their log lines."""

    def submit(
        self, fn: Callable[_Arguments, Result], /, *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> "Future[Result]":
        return super().submit(partial(copy_context().run, fn, *args, **kwargs))


def threads(number: int, name: str) -> ThreadPoolExecutor:
    return ContextThreads(number, thread_name_prefix=name)


def side_by_side(executor: Executor, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """The results of ``work`` for each item, in the order of the items.

    An error of a call or of ``items`` is raised, and stops the calls that have not begun. No call runs on after the
    return: Lambda would freeze it, and resume it within another invocation.
    """
    calls: list[Future[Result]] = []
    try:
        for item in items:
            calls.append(executor.submit(work, item))
        wait(calls, return_when=FIRST_EXCEPTION)
    finally:
        wait([call for call in calls if not call.cancel()])
    # The executor begins calls in their order, so a call that failed comes before every cancelled one.
    return [call.result() for call in calls]
