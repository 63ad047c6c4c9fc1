"""Runs the commands of ``infra`` like other programs of a shell: errors in one line, no traceback for a signal."""

import signal
import sys
from collections.abc import Callable

from infra.errors import InfraError

#: The exit code of a program that Ctrl-C ends.
INTERRUPTED = 128 + signal.SIGINT


def run(command: Callable[[], int]) -> int:
    """Return the exit code of ``command``; 1 after an error that its user can mend, with the error on stderr."""
    # A reader such as head that closes the pipe ends a program silently.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        return command()
    except InfraError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(described(error), file=sys.stderr)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 1


def described(error: OSError) -> str:
    """Return the reason of a refused system call with the file that it is about."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}." if error.filename else f"{reason}."
