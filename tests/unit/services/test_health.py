"""The health check says what does not do its work."""

from threading import Barrier
from typing import Any

import pytest

from chalicelib.ports.orders import HistoryLag
from tests.support.workbench import Workbench, a_workbench


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


def fails(*_: Any) -> None:
    raise RuntimeError("it does not answer")


def test_everything_that_works_is_complete(bench: Workbench) -> None:
    health = bench.engine.health()
    assert health.is_complete
    assert health.lag == HistoryLag()


def test_an_engine_whose_tables_keep_nothing_cannot_trade(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.orders, "ping", fails)
    health = bench.engine.health()
    assert (health.dependencies["dynamodb"], health.can_trade) == (False, False)
    assert health.lag == HistoryLag()


def test_an_engine_without_postgres_trades(bench: Workbench) -> None:
    bench.history.down = True
    health = bench.engine.health()
    assert (health.dependencies["postgres"], health.can_trade, health.is_complete) == (False, True, False)


def test_a_lag_that_is_not_known_hides_nothing_else(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.orders, "history_lag", fails)
    health = bench.engine.health()
    assert health.is_complete
    assert health.lag is None


def test_the_dependencies_are_probed_side_by_side(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    together = Barrier(4, timeout=10)

    def wait_for_the_others(*_: Any) -> HistoryLag:
        together.wait()
        return HistoryLag()

    for port, probe in (
        (bench.orders, "ping"),
        (bench.orders, "history_lag"),
        (bench.order_queue, "ping"),
        (bench.history, "ping"),
    ):
        monkeypatch.setattr(port, probe, wait_for_the_others)
    health = bench.engine.health()
    assert (health.is_complete, health.lag) == (True, HistoryLag())


def test_a_flood_of_questions_probes_once_a_second(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    probed: list[int] = []
    monkeypatch.setattr(bench.order_queue, "ping", lambda: probed.append(1))
    for _ in range(50):
        bench.engine.health()
    assert len(probed) == 1
    bench.history.down = True
    bench.clock.sleep(1)
    assert not bench.engine.health().is_complete
    assert len(probed) == 2
