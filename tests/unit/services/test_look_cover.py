"""The cover of the looks, as a property: whatever arrives when, and whichever process dies, every order has looks."""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.codec.times import from_ms
from chalicelib.ports.queues import DelayedLook
from chalicelib.services.operations.looks import MAX_COVERED_SECONDS, MIN_COVERED_SECONDS, ScheduleLooks
from chalicelib.services.operations.wake_looks import WakeLooks
from orderengine.testing.fakes.look_cover import FakeLookCover
from orderengine.testing.inline import InlineExecutor

_BEGINS_MS, _MINUTE_MS, _TICK_MS = 1_770_000_000_000, 60_000, 5_000
_MINUTES = 12
#: The bounds of what goes wrong: a message of the schedule is late, a clock is fast, an index lags.
_LATE_MS, _SKEW_MS, _LAG_MS = 10_000, 1_000, 5_000
#: A message whose worker dies is delivered again after this time.
_AGAIN_MS = 16_000
#: The time that a request for looks takes to its worker.
_DELIVERY_MS = 500

_SKEWS = st.integers(-_SKEW_MS, _SKEW_MS)


@dataclass(frozen=True)
class _Arrival:
    """An order of a process (``of``): when it comes, how long it is not over, and how long the index lacks it."""

    at_ms: int
    life_ms: int
    of: int = 0
    lag_ms: int = _LAG_MS


@dataclass(frozen=True)
class _Minute:
    """A message of the schedule: how late it is, and whether its worker dies before or after it queues looks."""

    late_ms: int = 0
    dies: str = ""


_ARRIVALS = st.builds(
    _Arrival,
    st.integers(0, (_MINUTES - 2) * _MINUTE_MS),
    st.sampled_from([3_000, 20_000, 61_000, 150_000, 400_000]),
    st.integers(0, 2),
    st.integers(0, _LAG_MS),
)
_MESSAGES = st.builds(_Minute, st.integers(0, _LATE_MS), st.sampled_from(["", "", "", "before", "after"]))


@dataclass
class _Site:
    """The schedule, its worker and some processes that accept orders, each with a clock of its own."""

    arrivals: Sequence[_Arrival]
    skews: Sequence[int]
    now_ms: int = _BEGINS_MS
    looks_ms: list[int] = field(default_factory=list)
    _events: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cover = FakeLookCover()
        self.worker = self._new_worker()
        beside = InlineExecutor(1, "beside")
        self.processes = [WakeLooks(self.cover, self, beside, self._clock(skew)) for skew in self.skews[1:]]
        for arrival in self.arrivals:
            self._at(_BEGINS_MS + arrival.at_ms, partial(self._accept, arrival.of))

    def _new_worker(self) -> ScheduleLooks:
        orders: Any = self
        return ScheduleLooks(self, self.cover, orders, orders, self._clock(self.skews[0]), _TICK_MS // 1000)

    def _clock(self, skew_ms: int) -> Callable[[], datetime]:
        return lambda: from_ms(self.now_ms + skew_ms)

    def _at(self, at_ms: int, work: Callable[[], None]) -> None:
        heapq.heappush(self._events, (at_ms, len(self._events), work))

    def _accept(self, of: int) -> None:
        with self.processes[of].beside() as looks_are_awake:
            looks_are_awake()

    # --- the ports ----------------------------------------------------------------------------------------

    def wake(self) -> None:
        self._at(self.now_ms + _DELIVERY_MS, self.worker.from_now)

    def send(self, looks: Sequence[DelayedLook]) -> None:
        self.looks_ms += [self.now_ms + delay_seconds * 1000 for _, delay_seconds in looks]

    def has_deadlines(self) -> bool:
        now_ms = self.now_ms - _BEGINS_MS
        return any(one.at_ms + one.lag_ms <= now_ms <= one.at_ms + one.life_ms for one in self.arrivals)

    def pending_launches(self) -> list[Any]:
        return []

    # --- time ---------------------------------------------------------------------------------------------

    def run(self, minutes: Sequence[_Minute]) -> None:
        for number, minute in enumerate(minutes):
            self._at(_BEGINS_MS + number * _MINUTE_MS + minute.late_ms, partial(self._ask, minute))
        while self._events:
            self.now_ms, _, work = heapq.heappop(self._events)
            work()

    def _ask(self, minute: _Minute) -> None:
        if minute.dies:
            self._at(self.now_ms + _AGAIN_MS, partial(self._ask, replace(minute, dies="")))
        if minute.dies == "before":
            return
        noted_ms = self.cover.until_ms() if minute.dies else 0
        self.worker.of_minute()
        if minute.dies:
            self.cover.extend(noted_ms)
            self.worker = self._new_worker()


@settings(max_examples=120, deadline=None)
@given(
    st.lists(_ARRIVALS, min_size=1, max_size=8),
    st.lists(_MESSAGES, min_size=_MINUTES, max_size=_MINUTES),
    st.tuples(_SKEWS, _SKEWS, _SKEWS, _SKEWS),
)
# The check of the minute comes just before an order that its process believes to be covered.
@example([_Arrival(1_000, 3_000), _Arrival(59_990, 400_000)], [_Minute()] * _MINUTES, (0, 0, 0, 0))
@example([_Arrival(1_000, 3_000), _Arrival(70_900, 400_000)], [_Minute()] * _MINUTES, (0, 1_000, 0, 0))
def test_every_order_has_looks_from_its_acceptance_to_its_end(
    arrivals: list[_Arrival], minutes: list[_Minute], skews: tuple[int, int, int, int]
) -> None:
    site = _Site(arrivals, skews)
    site.run(minutes)
    looks = sorted(one - _BEGINS_MS for one in site.looks_ms)
    longest_ms = _TICK_MS + 2 * _SKEW_MS + 1_000
    for one in arrivals:
        ends_ms = min(one.at_ms + one.life_ms, (_MINUTES - 2) * _MINUTE_MS)
        moments = [one.at_ms, *(at_ms for at_ms in looks if one.at_ms < at_ms < ends_ms), ends_ms]
        gap = max((after - before, before) for before, after in pairwise(moments))
        assert gap[0] <= longest_ms, f"{one} has no look for {gap[0]} ms from {gap[1]} ms on"


def test_an_order_has_looks_until_the_latest_moment_at_which_the_schedule_sees_it() -> None:
    """The check just after the order misses it, and the next message is late and its worker dies."""
    latest_ms = _LAG_MS + _MINUTE_MS + _LATE_MS + _AGAIN_MS
    assert latest_ms + 2 * _SKEW_MS <= MIN_COVERED_SECONDS * 1000


def test_an_order_that_finds_the_least_cover_has_looks_until_the_schedule_sees_it() -> None:
    found_ms = 2 * _MINUTE_MS - _LAG_MS + 1
    # The cover of the first order has just as much left as the second one needs.
    woken_ms = found_ms - (MAX_COVERED_SECONDS - MIN_COVERED_SECONDS) * 1000 - _DELIVERY_MS
    site = _Site([_Arrival(woken_ms, 3_000, lag_ms=0), _Arrival(found_ms, 400_000)], (0, 0, 0, 0))
    minutes = [_Minute()] * 3 + [_Minute(late_ms=_LATE_MS, dies="before")] + [_Minute()] * 3
    site.run(minutes)
    looks = [one - _BEGINS_MS for one in sorted(site.looks_ms) if one - _BEGINS_MS >= found_ms]
    assert max(after - before for before, after in pairwise(looks)) <= _TICK_MS


@given(st.lists(_MESSAGES, min_size=_MINUTES, max_size=_MINUTES), st.integers(0, _MINUTE_MS))
@settings(max_examples=30, deadline=None)
def test_looks_sleep_again_soon_after_the_last_order(minutes: list[_Minute], at_ms: int) -> None:
    site = _Site([_Arrival(at_ms, 3_000)], (0, 0, 0, 0))
    site.run(minutes)
    assert max(site.looks_ms) <= _BEGINS_MS + at_ms + (2 * MAX_COVERED_SECONDS + MIN_COVERED_SECONDS) * 1000


def test_a_process_reads_the_cover_once_a_minute_while_orders_come_all_the_time() -> None:
    arrivals = [_Arrival(at_ms, 3_000, lag_ms=0) for at_ms in range(0, 600_000, 100)]
    site = _Site(arrivals, (0, 0, 0, 0))
    reads = 0

    def until_ms(read: Callable[[], int] = site.cover.until_ms) -> int:
        nonlocal reads
        reads += 1
        return read()

    site.cover.until_ms = until_ms  # type: ignore[method-assign]
    site.run([_Minute(late_ms=100)] * _MINUTES)
    # The worker reads it once a minute too.
    assert reads <= 2 * 10 + 4
    assert len(site.looks_ms) <= 2 * (600 + MAX_COVERED_SECONDS + MIN_COVERED_SECONDS) // 5


def test_processes_that_meet_the_first_orders_at_once_wake_the_looks_once() -> None:
    site = _Site([_Arrival(1_000 + number, 3_000, of=number % 3) for number in range(30)], (0, 0, 0, 0))
    site.run([])
    assert len(site.looks_ms) == 2 * MAX_COVERED_SECONDS // 5


def test_a_note_of_a_wrong_clock_lets_no_order_wait() -> None:
    site = _Site([_Arrival(1_000, 3_000)], (0, 0, 0, 0))
    site.cover.extend(_BEGINS_MS + 3_600_000)
    site.run([])
    assert site.looks_ms
