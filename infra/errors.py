"""What can go wrong on the way from the sources to a running system, told to the person at the terminal."""


class InfraError(Exception):
    """Its message says what happened and, where that is known, what to do about it. No traceback is needed."""
