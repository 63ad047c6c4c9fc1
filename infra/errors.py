"""Errors that the commands of ``infra`` print as one message, without a traceback."""


class InfraError(Exception):
    """A command cannot go on. The message says what happened and, where that is known, what to do about it."""
