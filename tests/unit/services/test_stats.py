"""Statistics say what they cover, and why they are missing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.api.responses.operations import stats_body
from chalicelib.codec.times import to_text
from chalicelib.ports.history import ExecutionQuality, HistoryTooSlowError
from tests.support.callers import ANYONE
from tests.support.order_builders import NOON
from tests.support.workbench import Workbench, a_workbench


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


def test_stats_cover_the_last_day(bench: Workbench) -> None:
    stats = bench.engine.stats(ANYONE)
    assert stats.since == bench.clock.now() - timedelta(hours=24)
    assert stats_body(stats)["executionOutage"] is None


def test_stats_of_more_orders_than_are_summed_up_say_since_when(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    quality = replace(ExecutionQuality(), covered_since=NOON)
    monkeypatch.setattr(bench.history, "quality", lambda _: quality)
    body = stats_body(bench.engine.stats(ANYONE))
    assert body["since"] == to_text(NOON)
    assert body["execution"] is not None


def test_stats_without_postgres_say_that_it_is_away(bench: Workbench) -> None:
    bench.history.down = True
    body = stats_body(bench.engine.stats(ANYONE))
    assert (body["execution"], body["executionOutage"]) == (None, "UNAVAILABLE")


def test_stats_that_take_too_long_say_so(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_: object) -> ExecutionQuality:
        raise HistoryTooSlowError("canceling statement due to statement timeout")

    monkeypatch.setattr(bench.history, "quality", slow)
    body = stats_body(bench.engine.stats(ANYONE))
    assert (body["execution"], body["executionOutage"]) == (None, "TOO_SLOW")
