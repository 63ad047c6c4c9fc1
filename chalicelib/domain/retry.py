"""The pauses before a failed attempt is retried, and before an order triggers again."""

from collections.abc import Callable


def backoff_seconds(attempt: int, base: float, cap: float, uniform: Callable[[float, float], float]) -> float:
    """Full-jitter exponential backoff after failed attempt number ``attempt`` (1, 2, ...).

    A draw from ``[0, min(cap, base * 2**(attempt - 1))]`` seconds. ``uniform`` is the random source.
    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    return uniform(0.0, min(cap, base * 2 ** (attempt - 1)))


def retrigger_pause(misses: int, base: float, cap: float) -> float:
    """The pause in seconds after a number of missed triggers: doubling from ``base`` up to ``cap``.

    The pause bounds the number of events that an order can collect in its lifetime.
    """
    return min(cap, base * 2.0 ** min(misses - 1, 62)) if misses else 0.0
