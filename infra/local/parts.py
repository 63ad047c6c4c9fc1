"""The running parts of a stack, which end together."""

import time
from collections.abc import Callable
from typing import NoReturn

from infra.local.errors import LocalStackError
from infra.local.interruption import Interruption
from infra.local.process import Child


class Parts:
    """Starts children, watches them, and stops all of them."""

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption
        #: In the order in which they stop.
        self._children: list[Child] = []
        #: What went wrong when the parts stopped.
        self.problems: list[str] = []

    def keep(self, start: Callable[[], Child], *, stops_last: bool = False) -> Child:
        """Start a child that stops before those that run already, or, with ``stops_last``, after them."""
        # A signal between the start and the note that the child runs would leave it behind.
        with self._interruption.deferred():
            child = start()
            self._children.insert(len(self._children) if stops_last else 0, child)
        return child

    def uninterrupted(self, work: Callable[[], None]) -> None:
        """Do some short work that a signal must not divide."""
        with self._interruption.deferred():
            work()

    def watch(self) -> NoReturn:
        """Wait for a signal.

        :raises StopRequested: at the signal.
        :raises LocalStackError: if a part ends before it.
        """
        while True:
            self._interruption.check()
            for child in self._children:
                if child.exit_code is not None:
                    raise LocalStackError(child.obituary())
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop every part, and keep what went wrong in ``problems``."""
        self.problems += [problem for child in self._children if (problem := child.stop())]
