"""Errors that keep the local stack from running, in words for the person at the terminal."""

from infra.errors import InfraError


class LocalStackError(InfraError):
    """The stack cannot start or continue. The message says what to do about it."""


class UncleanStopError(LocalStackError):
    """The stack has ended, but not every part of it stopped as it should. The message names each part."""


class StopRequested(BaseException):
    """A signal asks the stack to stop. It is not an ``Exception``, so that no error handler delays it."""
