"""The pace of a stream: pauses, and the transport that is next."""

import pytest

from orderengine.core.streams.pacing import MAX_POLL_SECONDS, SPREAD_SECONDS, Pacer


@pytest.mark.parametrize("lived", [0.5, 3600.0])
def test_the_sockets_that_a_restart_ends_come_back_over_two_seconds(lived: float) -> None:
    pacer = Pacer()
    pacer.socket_ended(10_000.0, lived)
    pauses = [pacer.socket_pause(random / 100) for random in range(101)]
    assert min(pauses) == 0.0
    assert max(pauses) == pytest.approx(SPREAD_SECONDS)


def test_failures_in_a_row_make_longer_pauses_than_the_spread() -> None:
    pacer = Pacer(failures=7)
    assert pacer.socket_pause(1.0) == pytest.approx(12.8)


def test_polls_without_news_are_rarer_and_rarer_and_never_in_step() -> None:
    pacer = Pacer()
    pauses = [pacer.next_poll(0.5, has_news=False) for _ in range(20)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.5, MAX_POLL_SECONDS)
    assert pacer.next_poll(0.0, has_news=False) < pacer.next_poll(0.9, has_news=False)
    assert pacer.next_poll(0.5, has_news=True) == 0.5
