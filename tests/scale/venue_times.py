"""The time that orders wait for venues: the engine's own simulated venues, asked without waiting."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from random import Random
from statistics import fmean
from uuid import UUID

from orderengine.testing.parts import SETTINGS
from tests.bench.orders import spec_of
from tests.bench.sustained import ORDER
from tests.bench.venue_time import VenueTimes

_SAMPLE = 2_000
_VENUE = "raydium"


@dataclass(frozen=True, slots=True)
class VenueTime:
    """Seconds until the venues have quoted, and seconds of the swap that follows."""

    quoting: float
    swapping: float

    @property
    def seconds(self) -> float:
        return self.quoting + self.swapping


#: How the times of the venues' quotes add up. The engine asks the venues side by side, so the slowest counts; the
#: test kit has no threads and asks one after the other; and of a launched pool only its own venue is asked.
Quoting = Callable[[Sequence[float]], float]


def of_launch(seconds: Sequence[float]) -> float:
    return seconds[0]


@cache
def sample(quoting: Quoting = max) -> tuple[VenueTime, ...]:
    """The venue times of orders with random ids."""
    random, times, spec = Random("scale"), VenueTimes(SETTINGS), spec_of({**ORDER, "userId": "scale"})
    found = []
    for _ in range(_SAMPLE):
        order_id = str(UUID(int=random.getrandbits(128), version=4))
        quotes = times.quotes(spec, order_id)
        swapping = times.seconds(spec, order_id, _VENUE) - max(quotes)
        found.append(VenueTime(quoting(quotes), swapping))
    return tuple(found)


def endless(seed: str, quoting: Quoting = max) -> Iterator[VenueTime]:
    """The sample again and again, in an order that the seed decides."""
    times = list(sample(quoting))
    Random(seed).shuffle(times)
    return cycle(times)


@cache
def mean_seconds() -> float:
    """The mean venue time of an order that swaps at its first attempt."""
    return fmean(time.seconds for time in sample())


@cache
def mean_of_slowest(batch: int) -> float:
    """The mean venue time of the slowest of so many orders."""
    times = [time.seconds for time in sample()]
    batches = [times[first : first + batch] for first in range(0, len(times) - batch + 1, batch)]
    return fmean(map(max, batches))
