"""The way of an order as a discrete-event simulation: API, rate limit, two lanes, slots, venues, retries, history.

A slot is a place for one order in an environment of the processor. The model knows waiting, and nothing of prices or
statuses. All times are in seconds.
"""

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

import simpy

from tests.scale.venue_times import VenueTime

#: The lanes by their priority: a free slot takes the high-priority orders first.
HIGH, NORMAL = 0, 1
_MINUTE = 60.0
#: Lambda begins with five batches at a time.
_FIRST_ENVIRONMENTS = 5
Steps = Generator[simpy.Event, Any, None]


@dataclass(frozen=True)
class Setup:
    """What the deployment and its platform are like; ``None`` and 0 are without such a limit or time."""

    environments: int = 10
    batch: int = 1
    #: From the POST to the message in the queue, and environments of the API at most.
    accept: float = 0.0
    api_environments: int | None = None
    #: From the message to the first quote, and between the quotes and the swap: calls, CPU and the writes of events.
    lease: float = 0.0
    build: float = 0.0
    #: From the swap to the end of the invocation, with the history; and from there to the slot's next message.
    finish: float = 0.0
    gap: float = 0.0
    #: The first order of an environment, and the first request of one of the API, wait for its start.
    cold_start: float = 0.0
    #: Environments that the event source mapping adds a second, from five on.
    ramp_a_second: float | None = None
    rate_a_minute: int = 0
    horizon: float = 900.0
    #: The share of attempts that fail, and what follows.
    failing: float = 0.0
    attempts: int = 3
    backoff_base: float = 1.0
    backoff_cap: float = 20.0


@dataclass(slots=True)
class Life:
    """The times of an order. ``ended`` is the end of its invocation; a refused order has no ``queued``."""

    arrived: float
    venue: VenueTime
    lane: int = NORMAL
    queued: float | None = None
    ready: float | None = None
    started: float | None = None
    submitted: float | None = None
    ended: float | None = None
    attempts: int = 0

    @property
    def wait(self) -> float:
        """From the acceptance to the first start."""
        assert self.started is not None
        assert self.queued is not None
        return self.started - self.queued


@dataclass
class World:
    """One run. ``lives`` has every order that arrived."""

    setup: Setup
    seed: str
    lives: list[Life] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.env = simpy.Environment()
        self._random = Random(self.seed)
        self._numbers = count()
        self._queue: Any = simpy.PriorityStore(self.env)
        self._starts: deque[float] = deque(maxlen=self.setup.rate_a_minute or None)
        self._api_idle = self._api_started = 0
        self.env.process(self._add_environments())

    def run(self, until: float | None = None) -> None:
        """Run until nothing happens any more, or to a time."""
        self.env.run(until)

    def arrive(self, times: Iterator[float], venues: Iterator[VenueTime], lane: int = NORMAL) -> None:
        """Let orders arrive at these times, which ascend."""
        self.env.process(self._arrivals(times, venues, lane))

    def _arrivals(self, times: Iterator[float], venues: Iterator[VenueTime], lane: int) -> Steps:
        for at, venue in zip(times, venues, strict=False):
            if at > self.env.now:
                yield self.env.timeout(at - self.env.now)
            life = Life(self.env.now, venue, lane)
            self.lives.append(life)
            self.env.process(self._accept(life))

    def _accept(self, life: Life) -> Steps:
        setup = self.setup
        if self._api_idle:
            self._api_idle -= 1
        elif setup.api_environments is not None and self._api_started >= setup.api_environments:
            # Lambda throttles the request, and the client gets an error.
            return
        else:
            self._api_started += 1
            yield self.env.timeout(setup.cold_start)
        yield self.env.timeout(setup.accept)
        self._api_idle += 1
        delay = self._delay()
        if delay is None:
            return
        life.queued = self.env.now
        yield self.env.timeout(delay)
        life.ready = self.env.now
        self._put(life)

    def _delay(self) -> float | None:
        """How long the rate limit delays an order that is accepted now; ``None`` beyond the horizon."""
        if not self.setup.rate_a_minute:
            return 0.0
        is_full = len(self._starts) == self._starts.maxlen
        start = max(self.env.now, self._starts[0] + _MINUTE) if is_full else self.env.now
        if start - self.env.now > self.setup.horizon:
            return None
        self._starts.append(start)
        return start - self.env.now

    def _put(self, life: Life) -> None:
        self._queue.put(simpy.PriorityItem((life.lane, next(self._numbers)), life))

    def _add_environments(self) -> Steps:
        """Start the environments: at once, or as fast as the event source mapping adds them."""
        ramp = self.setup.ramp_a_second
        for number in range(self.setup.environments):
            if ramp and number >= _FIRST_ENVIRONMENTS:
                yield self.env.timeout(1 / ramp)
            self.env.process(self._environment())
        yield self.env.timeout(0)

    def _environment(self) -> Steps:
        """An environment: it takes a batch, works on its orders side by side, and takes the next one."""
        is_cold = True
        while True:
            batch = [(yield self._queue.get()).item]
            while len(batch) < self.setup.batch and self._queue.items:
                batch.append((yield self._queue.get()).item)
            if is_cold:
                yield self.env.timeout(self.setup.cold_start)
                is_cold = False
            yield self.env.all_of([self.env.process(self._execute(life)) for life in batch])
            yield self.env.timeout(self.setup.gap)

    def _execute(self, life: Life) -> Steps:
        setup, env = self.setup, self.env
        life.attempts += 1
        if life.started is None:
            life.started = env.now
        yield env.timeout(setup.lease + life.venue.quoting)
        yield env.timeout(setup.build)
        if life.submitted is None:
            life.submitted = env.now
        yield env.timeout(life.venue.swapping + setup.finish)
        if life.attempts < setup.attempts and self._random.random() < setup.failing:
            env.process(self._retry(life))
        else:
            life.ended = env.now

    def _retry(self, life: Life) -> Steps:
        """Back to the queue after a backoff with full jitter; the slot is free meanwhile."""
        highest = min(self.setup.backoff_cap, self.setup.backoff_base * 2 ** (life.attempts - 1))
        yield self.env.timeout(self._random.uniform(0, highest))
        self._put(life)


def burst(setup: Setup, orders: int, venues: Iterator[VenueTime], seed: str = "burst", lane: int = NORMAL) -> World:
    """So many orders at once, until all have ended."""
    world = World(setup, seed)
    world.arrive(iter([0.0] * orders), venues, lane)
    world.run()
    return world


def poisson(rate: float, seed: str) -> Iterator[float]:
    """Times of independent arrivals, so many a second on average, without an end."""
    random: Any = Random(seed)
    at = 0.0
    while True:
        at += random.expovariate(rate)
        yield at
