"""What can keep the local stack from running, told in words for the person at the terminal."""


class LocalStackError(Exception):
    """The stack cannot start or go on; the message says what to do about it."""


class Interrupted(Exception):
    """Somebody asked the stack to stop."""
