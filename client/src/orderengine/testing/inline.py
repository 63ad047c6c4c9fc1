"""Threads for virtual time: each task runs at once, in its caller."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class InlineExecutor(Executor):
    """Runs each task synchronously, so that the order of calls is fixed and a crash ends the whole invocation."""

    def __init__(self, *_: Any) -> None:
        """Accept the size and the name of a pool of threads."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
