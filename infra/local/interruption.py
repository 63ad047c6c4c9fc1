"""Signals that ask the launcher to stop."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from typing import Any

from infra.local.errors import StopRequested

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Turns the first signal into ``StopRequested`` where the program allows it, and only remembers it elsewhere.

    An exception out of a signal handler can come between any two steps. A region in which two steps belong together,
    such as starting a child and noting that it runs, defers it.
    """

    def __init__(self) -> None:
        self._requested = False
        self._allowed = False

    def listen(self) -> None:
        """Handle the signals from now on, for the rest of the process."""
        for number in _SIGNALS:
            signal.signal(number, self._handle)
        # A finalizer or an import callback swallows the exception; ``check`` raises it again later.
        report = sys.unraisablehook
        sys.unraisablehook = lambda failure: None if failure.exc_type is StopRequested else report(failure)

    @contextlib.contextmanager
    def allowed(self) -> Iterator[None]:
        """Let the first signal end the block, also one that came before it."""
        self._allowed = True
        try:
            self.check()
            yield
        finally:
            self._allowed = False

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Let the block complete first."""
        was_allowed, self._allowed = self._allowed, False
        try:
            yield
        finally:
            self._allowed = was_allowed
        if was_allowed:
            self.check()

    def check(self) -> None:
        """:raises StopRequested: if a signal came."""
        if self._requested:
            raise StopRequested

    def _handle(self, *_: Any) -> None:
        is_first, self._requested = not self._requested, True
        if is_first and self._allowed:
            raise StopRequested
