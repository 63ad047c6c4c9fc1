"""The deadline of a stream, and the limits that it sets to requests."""

from datetime import timedelta
from typing import Any

import pytest

from orderengine.core.session import Options, Session
from orderengine.core.streams.deadlines import Deadline, TimeIsOver
from tests.client.streams.lives import START


def at(flow: Any, now: float) -> Any:
    """The result of a flow that asks for the time alone."""
    next(flow)
    try:
        flow.send(now)
    except StopIteration as end:
        return end.value
    raise AssertionError


def test_a_request_gets_no_more_time_than_the_stream_has_left() -> None:
    deadline, session = Deadline(30.0), Session(Options())
    at(deadline.begin(), 100.0)
    limits = [at(deadline.attempt(session), now).options.try_timeout for now in (100.0, 125.0, 129.9)]
    assert limits == [10.0, 5.0, 0.5]
    with pytest.raises(TimeIsOver):
        at(deadline.attempt(session), 130.0)


def test_the_second_begin_changes_nothing() -> None:
    deadline = Deadline(30.0)
    at(deadline.begin(), 100.0)
    at(deadline.begin(), 110.0)
    assert deadline.left(110.0) == 20.0


def test_a_session_with_other_limits_learns_the_clock_for_both() -> None:
    session = Session(Options())
    session.limited(retries=0).clock.note(START, START, START + timedelta(hours=1))
    assert session.clock.offset is not None
