"""Repeatable randomness: every draw is a keyed hash of its purpose, so every process draws the same number."""

from functools import lru_cache
from hashlib import blake2b

_SPAN = 2**64
#: The draws of some hundred orders. Those of the market return with every quote, for as long as a price path lasts.
_MAX_CACHED_DRAWS = 4096


@lru_cache(_MAX_CACHED_DRAWS, typed=True)
def draw(seed: str, *purpose: object) -> int:
    """A number in ``[0, 2**64)`` that depends on the seed and the purpose alone."""
    text = "\x1f".join(map(str, purpose)).encode()
    return int.from_bytes(blake2b(text, digest_size=8, key=seed.encode()[:64]).digest(), "big")


def between(low: int, high: int, seed: str, *purpose: object) -> int:
    """An integer drawn evenly from ``[low, high]``."""
    return low + draw(seed, *purpose) * (high - low + 1) // _SPAN


def smooth(low: int, high: int, tick: int, period: int, seed: str, *purpose: object) -> int:
    """A path through values drawn from ``[low, high]`` every ``period`` ticks, eased between them.

    The easing is the cubic smoothstep ``3t^2 - 2t^3``, in integer arithmetic; it never leaves the range.
    """
    knot, offset = divmod(tick, period)
    start = between(low, high, seed, *purpose, knot)
    end = between(low, high, seed, *purpose, knot + 1)
    weight = offset * offset * (3 * period - 2 * offset)
    return start + (end - start) * weight // period**3
