"""The error that ends a benchmark."""


class BenchError(Exception):
    """A measurement failed; the message names it."""
