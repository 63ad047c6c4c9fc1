"""``GET /metrics`` of a local stack shows what the functions' log lines count."""

import json
import urllib.request
from pathlib import Path

import pytest

from chalicelib.observability import metrics
from chalicelib.observability.metrics import Measured, embedded
from infra.local.metrics import FunctionMetrics, serve
from infra.local.tail import PARTS, Tail

NOW = 1_800_000_000.0


def log(file: Path, *measured: Measured, at: float = NOW) -> None:
    with file.open("a") as lines:
        lines.write(json.dumps({"message": "m", **embedded(measured, "engine-local", int(at * 1000))}) + "\n")


@pytest.fixture
def shown(tmp_path: Path) -> FunctionMetrics:
    return FunctionMetrics(tmp_path, lambda: NOW)


def value(shown: FunctionMetrics, name: str) -> float | None:
    found = [line for line in shown.text().decode().splitlines() if line.startswith(name + " ")]
    return float(found[0].rpartition(" ")[2]) if found else None


def test_counts_of_all_functions_add_up(tmp_path: Path, shown: FunctionMetrics) -> None:
    log(tmp_path / "ProcessOrders.log", metrics.ORDERS_ENDED.of(part="confirmed"), metrics.ORDER_TIME.of(2500))
    log(tmp_path / "RunLooks.log", metrics.ORDERS_ENDED.of(part="confirmed"))
    log(tmp_path / "RunLooks.log", metrics.ORDERS_ENDED.of(part="expired"))
    for _ in range(2):
        assert value(shown, 'engine_orders_ended_total{outcome="confirmed"}') == 2
        assert value(shown, 'engine_orders_ended_total{outcome="expired"}') == 1
    log(tmp_path / "RunLooks.log", metrics.ORDERS_ENDED.of(part="expired"))
    assert value(shown, 'engine_orders_ended_total{outcome="expired"}') == 2


def test_times_are_histograms_in_seconds(tmp_path: Path, shown: FunctionMetrics) -> None:
    for ms in (40, 2500):
        log(tmp_path / "ProcessOrders.log", metrics.STAGE_TIME.of(ms, "routing"))
    assert value(shown, 'engine_stage_time_seconds_bucket{le="0.05",stage="routing"}') == 1
    assert value(shown, 'engine_stage_time_seconds_bucket{le="3.0",stage="routing"}') == 2
    assert value(shown, 'engine_stage_time_seconds_sum{stage="routing"}') == pytest.approx(2.54)


def test_a_gauge_without_a_new_line_is_zero_again(tmp_path: Path) -> None:
    now = [NOW]
    shown = FunctionMetrics(tmp_path, lambda: now[0])
    log(tmp_path / "RunLooks.log", metrics.SLOTS_IN_USE.of(7))
    log(tmp_path / "RunLooks.log", metrics.SLOTS_IN_USE.of(3), at=NOW - 30)
    assert value(shown, "engine_slots_in_use") == 7
    now[0] += 120
    assert value(shown, "engine_slots_in_use") == 0


def test_lines_that_count_nothing_or_are_damaged_change_nothing(tmp_path: Path, shown: FunctionMetrics) -> None:
    (tmp_path / "ProcessOrders.log").write_text(
        'no JSON with "_aws"\n[]\n{"_aws": 1}\n{"_aws": {"CloudWatchMetrics": [{}]}}\n{"message": "m"}\n'
        '{"Stack": "s", "Odd": 1, "_aws": {"Timestamp": 1, "CloudWatchMetrics": [{"Dimensions": [["Stack"]], '
        '"Metrics": [{"Name": "Odd"}]}]}}\n'
    )
    log(tmp_path / "ProcessOrders.log", metrics.ORDERS_ACCEPTED.of())
    assert value(shown, "engine_orders_accepted_total") == 1
    assert b"odd" not in shown.text().lower()


def test_the_number_of_series_is_bounded(tmp_path: Path, shown: FunctionMetrics) -> None:
    for number in range(200):
        log(tmp_path / "ProcessOrders.log", metrics.ORDERS_FAILED.of(part=f"CODE_{number}"))
    assert shown.text().count(b"engine_orders_failed_total{") == 64


def test_a_half_written_line_counts_once_it_is_complete(tmp_path: Path, shown: FunctionMetrics) -> None:
    log(tmp_path / "whole.log", metrics.ORDERS_ACCEPTED.of())
    line = (tmp_path / "whole.log").read_text()
    (tmp_path / "whole.log").unlink()
    file = tmp_path / "ProcessOrders.log"
    file.write_text(line[:30])
    assert value(shown, "engine_orders_accepted_total") == 0
    file.write_text(line)
    assert value(shown, "engine_orders_accepted_total") == 1


def test_a_file_that_begins_anew_is_read_from_its_start_and_long_lines_end(tmp_path: Path) -> None:
    file, tail = tmp_path / "ProcessOrders.log", Tail(tmp_path)
    for name in PARTS:
        (tmp_path / name).write_text("not of a function\n")
    file.write_text("one\ntwo\n")
    assert [line for _, line in tail.new_lines()] == ["one", "two"]
    file.write_text("new\n")
    assert [line for _, line in tail.new_lines()] == ["new"]
    file.write_text("new\n" + "x" * 3_000_000 + "\nlast\n")
    found = [line for _, line in tail.new_lines()]
    assert (sum(map(len, found)), found[-1]) == (3_000_000 + len("last"), "last")


def test_a_server_answers_in_the_format_of_prometheus(tmp_path: Path, shown: FunctionMetrics) -> None:
    server = serve(shown)
    try:
        log(tmp_path / "ProcessOrders.log", metrics.ORDERS_ACCEPTED.of())
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=10) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain")
            assert b"engine_orders_accepted_total 1.0" in answer.read()
    finally:
        server.shutdown()
        server.server_close()
