"""What ends a bench."""


class BenchError(Exception):
    """Something could not be measured; the message says what."""
