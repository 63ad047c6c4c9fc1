"""When a failed attempt is tried again."""

from collections.abc import Callable


def backoff_seconds(attempt: int, base: float, cap: float, uniform: Callable[[float, float], float]) -> float:
    """Full-jitter exponential backoff after failed attempt number ``attempt`` (1, 2, ...).

    A draw from ``[0, min(cap, base * 2**(attempt - 1))]`` seconds. ``uniform`` is the source of chance.
    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    return uniform(0.0, min(cap, base * 2 ** (attempt - 1)))


def retrigger_pause(rearmed: int, base: float, cap: float) -> float:
    """How long, in seconds, an order that triggered and missed ``rearmed`` times is left alone: doubling, from base.

    It bounds how many events an order can gather in the time it may wait.
    """
    return min(cap, base * 2.0 ** min(rearmed - 1, 62)) if rearmed else 0.0
