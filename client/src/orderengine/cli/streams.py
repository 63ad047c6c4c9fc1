"""Stdout and stderr of a run: the first never fails unnoticed, the second never fails a run."""

import codecs
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import IO, Any

from orderengine.cli.exits import Exit, Stop

_SUBSTITUTES = {"→": "->", "✔": "*", "✘": "x", "·": "-", "…": "..."}


def _substitute(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that an encoding does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_SUBSTITUTES.get(one, "?") for one in error.object[error.start : error.end]), error.end


codecs.register_error("orderengine.substitute", _substitute)


class _Stdout:
    """Stdout, whose failures are no errors of the network or of a file. After one it takes no more text."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lost: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """:raises Stop: if it cannot be written."""
        with self._told():
            return self._stream.write(text)

    def flush(self) -> None:
        """:raises Stop: if it cannot be written."""
        with self._told():
            self._stream.flush()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            if self._lost:
                raise self._lost
            yield
        except OSError as error:
            self._lost = error
            _silence(self._stream)
            if isinstance(error, BrokenPipeError):
                raise Stop(Exit.BROKEN_PIPE, "BROKEN_PIPE", "The reader of stdout has gone away.") from error
            raise Stop(Exit.NOT_SHOWN, "NOT_SHOWN", f"Stdout cannot be written: {error.strerror}.") from error


class _Stderr:
    """Stderr. Where it cannot be written, the exit code alone tells how a run ends."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            _silence(self._stream)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            _silence(self._stream)


@contextmanager
def guarded() -> Iterator[None]:
    """Replace stdout and stderr during a run."""
    out: Any = _Stdout(_ready(sys.stdout, os.O_RDONLY))
    err: Any = _Stderr(_ready(sys.stderr, os.O_WRONLY))
    with redirect_stdout(out), redirect_stderr(err):
        yield


def _ready(stream: IO[str] | None, flags: int) -> IO[str]:
    """A stream that writes any character. A closed one becomes a descriptor, so that no socket takes its number.

    Each write to a closed stdout fails, as it would in C; one to a closed stderr goes nowhere.
    """
    found = stream or os.fdopen(os.open(os.devnull, flags), "w")
    if hasattr(found, "reconfigure"):
        found.reconfigure(errors="orderengine.substitute")
    return found


def _silence(stream: IO[str]) -> None:
    """Send what is still in the buffer nowhere: it would fail again at the end of the process."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
