"""Each alarm on a metric of the engine is set off by the fault that it is for. The log lines carry the values."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.observability.metrics import METRICS, NAMESPACE, STACK
from infra.aws.metrics import ENGINE
from infra.aws.rollback import ROLLBACK_ALARMS, monitored_minutes
from tests.infrastructure.conftest import Packaged
from tests.infrastructure.faults_that_ring import OF_THE_ENGINE, Fault, of_faults, refused
from tests.support.cloudwatch.alarms import metrics_of, minutes_of_ringing, resolved
from tests.support.cloudwatch.stage import watched_stage


@pytest.mark.parametrize(
    ("fault", "expected"), of_faults(OF_THE_ENGINE).items(), ids=lambda one: getattr(one, "__name__", "")
)
def test_an_alarm_rings_for_its_fault(
    alarms: dict[str, dict[str, Any]], fault: Fault, expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with watched_stage(monkeypatch) as stage:
        fault(stage)
        assert {name for name in expected if minutes_of_ringing(alarms[name], stage.datapoints)} == expected


def test_a_version_that_fails_on_every_order_is_rolled_back_though_its_processor_never_crashes(
    alarms: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """CloudWatch has the data of a minute up to two minutes after its end."""
    minutes = monitored_minutes(None)
    assert minutes
    with watched_stage(monkeypatch) as stage:
        stage.deployment.faults_of_ports["ledger"] = refused
        stage.run(minutes - 2, stage.place)
        ringing = {name for name in ROLLBACK_ALARMS if minutes_of_ringing(alarms[name], stage.datapoints)}
    assert ringing == {"CaughtFailuresAlarm", "FailedMessagesAlarm"}


def test_alarms_and_graphs_show_metrics_that_the_engine_writes(
    packaged: Packaged, alarms: dict[str, dict[str, Any]]
) -> None:
    assert ENGINE == NAMESPACE
    written = {metric.name: {STACK} | ({metric.dimension} if metric.dimension else set()) for metric in METRICS}
    shown = [*_of_alarms(alarms), *_of_graphs(packaged)]
    assert shown
    for name, dimensions in shown:
        assert written.get(name) == dimensions, name


def _of_alarms(alarms: dict[str, dict[str, Any]]) -> Iterator[tuple[str, set[str]]]:
    for alarm in alarms.values():
        for namespace, name, dimensions, _ in metrics_of(alarm).values():
            if namespace == ENGINE:
                yield name, {*dimensions}


def _of_graphs(packaged: Packaged) -> Iterator[tuple[str, set[str]]]:
    [dashboard] = packaged.resources("AWS::CloudWatch::Dashboard").values()
    for widget in json.loads(resolved(dashboard["DashboardBody"]))["widgets"]:
        for namespace, name, *rest, _ in widget["properties"].get("metrics", ()):
            if namespace == ENGINE:
                yield name, {*rest[::2]}
