"""What can keep the local stack from running, told in words for the person at the terminal."""

from infra.errors import InfraError


class LocalStackError(InfraError):
    """The stack cannot start or go on; the message says what to do about it."""


class StopRequested(BaseException):
    """Somebody asked the stack to stop: no error, so no handler of errors may hold it up."""
