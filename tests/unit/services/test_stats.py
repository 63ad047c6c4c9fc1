"""Statistics say what they cover, and why they are missing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.api.responses.operations import stats_body
from chalicelib.codec.times import to_text
from chalicelib.ports.history import ExecutionQuality, HistoryTooSlowError
from tests.support.callers import ANYONE
from tests.support.order_builders import NOON
from tests.support.workbench import Workbench, a_workbench

DAY = timedelta(days=1)


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


def test_stats_cover_the_last_day(bench: Workbench) -> None:
    stats = bench.engine.stats(ANYONE)
    assert (stats.since, stats.until) == (bench.clock.now() - DAY, bench.clock.now())
    assert stats_body(stats)["executionOutage"] is None


@pytest.mark.parametrize(
    ("since", "until", "covered_since"),
    [
        (None, NOON, NOON - DAY),
        (NOON - 3650 * DAY, NOON, NOON - 3650 * DAY),
        (None, datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_stats_cover_the_window_that_is_asked_for(
    bench: Workbench, since: datetime | None, until: datetime, covered_since: datetime
) -> None:
    stats = bench.engine.stats(ANYONE, since=since, until=until)
    assert (stats.since, stats.until) == (covered_since, until)


def test_a_window_without_an_end_reaches_to_now(bench: Workbench) -> None:
    began = bench.clock.now()
    bench.submit()
    bench.process_all()
    stats = bench.engine.stats(ANYONE, since=began)
    assert (stats.since, stats.until) == (began, bench.clock.now())
    assert stats.execution is not None
    assert stats.execution.orders == {"confirmed": 1}


def test_a_window_in_the_future_has_no_orders(bench: Workbench) -> None:
    bench.submit()
    bench.process_all()
    future = bench.clock.now() + DAY
    for until in (None, future + DAY):
        stats = bench.engine.stats(ANYONE, since=future, until=until)
        assert (stats.execution, stats.since) == (ExecutionQuality(), future)
        assert stats.until >= stats.since


def test_the_scorecard_tells_how_orders_were_executed(bench: Workbench) -> None:
    bench.submit(simulate="stale_quote:1")
    bench.submit()
    bench.process_all()
    body = stats_body(bench.engine.stats(ANYONE))["execution"]
    assert body is not None
    assert (body["retried"], body["retries"]) == (1, {"STALE_QUOTE": 1})
    assert body["missedLimits"] == {"orders": 0, "triggers": 0}
    used, gained = body["slippageUsedPct"]["worst"], body["previewGainPct"]["worst"]
    assert used is not None
    assert 0 <= used <= 100
    assert gained is not None
    assert body["latencyMs"]["landing"]["p50"] is not None


def test_stats_of_more_orders_than_are_summed_up_say_since_when(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    quality = replace(ExecutionQuality(), covered_since=NOON)
    monkeypatch.setattr(bench.history, "quality", lambda *_: quality)
    body = stats_body(bench.engine.stats(ANYONE))
    assert body["since"] == to_text(NOON)
    assert body["execution"] is not None


def test_stats_without_postgres_say_that_it_is_away(bench: Workbench) -> None:
    bench.history.down = True
    body = stats_body(bench.engine.stats(ANYONE))
    assert (body["execution"], body["executionOutage"]) == (None, "UNAVAILABLE")


def test_stats_that_take_too_long_say_so(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> ExecutionQuality:
        raise HistoryTooSlowError("canceling statement due to statement timeout")

    monkeypatch.setattr(bench.history, "quality", slow)
    body = stats_body(bench.engine.stats(ANYONE))
    assert (body["execution"], body["executionOutage"]) == (None, "TOO_SLOW")
