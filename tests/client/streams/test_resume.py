"""The position in the events of one order, for any sequence of frames."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from orderengine.core.session import Counters
from orderengine.core.streams.resume import UNKNOWN, Resume
from orderengine.models.orders import Update


def update(seq: int) -> Update:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Update(raw={}, seq=seq, status="routing", phase="processing", attempt=1, at=at, meta={}, order_id="o")


def seqs(updates: list[Update]) -> list[int]:
    return [one.seq for one in updates]


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(1, n), max_size=90))))
def test_any_frames_and_then_all_events_give_each_update_once_and_in_order(life: tuple[int, list[int]]) -> None:
    length, frames = life
    counters = Counters()
    resume = Resume(0, counters)
    given_out = []
    for seq in frames:
        given_out += seqs(resume.take([update(seq)]))
    given_out += seqs(resume.fill([update(seq) for seq in range(resume.last + 1, length + 1)]))
    assert given_out == list(range(1, length + 1))
    assert counters.gaps == counters.gaps_filled
    assert counters.doubles == len(frames) - len(set(frames))


@given(st.lists(st.integers(1, 12), max_size=40), st.data())
def test_a_cut_at_any_frame_loses_nothing_and_doubles_nothing(frames: list[int], data: st.DataObject) -> None:
    counters = Counters()
    resume = Resume(0, counters)
    given_out = []
    for seq in frames:
        given_out += seqs(resume.take([update(seq)]))
        if data.draw(st.booleans()):
            given_out += seqs(resume.take(map(update, range(resume.last + 1, 13))))
    given_out += seqs(resume.take(map(update, range(resume.last + 1, 13))))
    assert given_out == list(range(1, 13))
    assert counters.gaps == counters.gaps_filled


@given(st.permutations(range(4, 10)), st.integers(1, 9))
def test_updates_that_begin_anywhere_include_all_that_came(frames: list[int], first: int) -> None:
    resume = Resume(UNKNOWN, Counters())
    assert resume.take(map(update, frames[:3])) == []
    resume.begin(first - 1)
    given_out = seqs(resume.fill([update(seq) for seq in range(resume.last + 1, 10)]))
    assert given_out == list(range(min(first, *frames[:3]), 10))


def test_frames_that_come_in_turn_count_as_no_gap() -> None:
    counters = Counters()
    resume = Resume(0, counters)
    assert seqs(resume.take(map(update, [1, 2, 3]))) == [1, 2, 3]
    assert (counters.gaps, counters.doubles) == (0, 0)


def test_a_gap_that_nobody_can_fill_is_skipped_and_counts_as_one_that_is_not_filled() -> None:
    counters = Counters()
    resume = Resume(0, counters)
    resume.take(map(update, [1, 4, 5]))
    assert seqs(resume.skip()) == [4, 5]
    assert (counters.gaps, counters.gaps_filled) == (1, 0)
