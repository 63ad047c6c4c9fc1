"""The exit codes, which scripts rely on."""

from enum import IntEnum

from orderengine import errors
from orderengine.models.words import Phase

HELP = """\
Exit codes:
  0 done (with --wait, --watch and watch ID: confirmed)
  1 a bug, or a failed check    2 refused: usage, bad request, credential
  3 try later: busy, unreachable, time is over    4 not found
  5 too late, or changed since    6 unknown whether it happened
  7 done, but stdout cannot be written (141: its reader is gone)
  10 failed    11 cancelled    12 expired    130 interrupted"""


class Exit(IntEnum):
    DONE = 0
    BUG = 1
    USAGE = 2
    LATER = 3
    NOT_FOUND = 4
    TOO_LATE = 5
    UNKNOWN = 6
    NOT_SHOWN = 7
    FAILED = 10
    CANCELLED = 11
    EXPIRED = 12
    INTERRUPTED = 130
    BROKEN_PIPE = 141


class Stop(errors.OrderEngineError):
    """A command ends without success, and knows how to go on.

    ``command`` is what the user runs next; ``facts`` are members of the JSON form.
    """

    def __init__(self, exit_code: Exit, code: str, detail: str, command: str = "", **facts: object) -> None:
        super().__init__(detail)
        self.exit_code = exit_code
        self.code = code
        self.detail = detail
        self.command = command
        self.facts = facts


_OUTCOMES: dict[str, Exit] = {
    Phase.COMPLETED: Exit.DONE,
    Phase.FAILED: Exit.FAILED,
    Phase.CANCELLED: Exit.CANCELLED,
    Phase.EXPIRED: Exit.EXPIRED,
}

_KINDS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Exit], ...] = (
    (errors.NotFound, Exit.NOT_FOUND),
    ((errors.Conflict, errors.MovedOn), Exit.TOO_LATE),
    ((errors.UsageError, errors.Invalid, errors.Unauthenticated, errors.Forbidden), Exit.USAGE),
    ((errors.RateLimited, errors.Unavailable, errors.Unreachable, errors.DeadlineExceeded), Exit.LATER),
    (errors.OutcomeUnknown, Exit.UNKNOWN),
)
_STREAMS = {"ORDER_NOT_FOUND": Exit.NOT_FOUND, "USER_NOT_FOUND": Exit.NOT_FOUND}


def of_phase(phase: str) -> Exit:
    """The exit code of an order's end."""
    return _OUTCOMES.get(phase, Exit.DONE)


def of_error(error: errors.OrderEngineError) -> Exit:
    """The exit code of an error."""
    if isinstance(error, Stop):
        return error.exit_code
    if isinstance(error, errors.NotTheEngine):
        # Half an answer of the engine is still JSON by its type; a page is another service's.
        return Exit.LATER if error.status >= 500 or "json" in error.content_type else Exit.USAGE
    if isinstance(error, errors.StreamRefused):
        return _STREAMS.get(error.code, Exit.USAGE)
    found = next((code for kinds, code in _KINDS if isinstance(error, kinds)), None)
    if found is None and isinstance(error, errors.ProblemError):
        return Exit.LATER if error.status >= 500 else Exit.USAGE
    return Exit.BUG if found is None else found
