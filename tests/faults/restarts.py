"""The start of a stack on the data that an earlier one has left, whatever its end was."""

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.processes import kill_tree
from tests.support.stack import RunningStack, StackStartError, running_stack

#: Maximum time of starts until one succeeds.
_START_SECONDS = 90


@contextmanager
def started_again(directory: Path, settings: Mapping[str, str], refused: list[str]) -> Iterator[RunningStack]:
    """Start the stack at once, again and again until it starts, as a supervisor does. ``refused`` tells the failures.

    :raises StackStartError: if it does not start within ``_START_SECONDS``.
    """
    deadline = time.monotonic() + _START_SECONDS
    with ExitStack() as exits:
        while True:
            try:
                stack = exits.enter_context(running_stack(directory, settings))
                break
            except StackStartError as error:
                refused.append(" ".join(str(error).split())[-300:])
                if time.monotonic() > deadline:
                    raise
        yield stack


class RestartableStack:
    """A stack that starts again on its data. It ends with the thread that has started it."""

    def __init__(self, directory: Path, settings: Mapping[str, str]) -> None:
        self._directory = directory
        self._settings = settings
        self._exits = ExitStack()
        self._stops = 0
        self.refused: list[str] = []
        self.stack: RunningStack

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()

    def restart(self) -> None:
        """Stop the stack, or kill all of it, in turn, and start it again."""
        self._stops += 1
        assert self.stack.launcher is not None
        if self._stops % 2:
            self.stack.kill(signal.SIGTERM)
        else:
            kill_tree(self.stack.launcher.pid)
        self._exits.close()
        self._start()

    def _start(self) -> None:
        self.stack = self._exits.enter_context(started_again(self._directory, self._settings, self.refused))
