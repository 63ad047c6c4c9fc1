"""CloudWatch alarms as resources of the template.

``order_alarms``, ``upkeep_alarms`` and ``traffic_alarms`` have the rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.aws.metrics import Metric

RUNBOOK = "docs/runbook.md"
#: US dollars that CloudWatch takes for each metric of an alarm in a month. Source: "Amazon CloudWatch pricing".
METRIC_USD = 0.10
_ACTIONS = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]}
_CONDITIONS = {
    "AllAlarms": {"Fn::Equals": [{"Ref": "Alarms"}, "all"]},
    # CloudFront keeps its metrics in us-east-1, and an alarm sees those of its own region alone.
    "FrontDoorAlarms": {
        "Fn::And": [{"Condition": "AllAlarms"}, {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}]
    },
}


@dataclass(frozen=True)
class Alarm:
    """An alarm by its logical name. Every row has a section of the same name in the runbook.

    It rings when ``datapoints`` of the last ``minutes`` minutes (all of them unless the row says otherwise) are above
    ``threshold``; with ``missing``, when they are below ``threshold`` or have no data. ``metrics`` is one metric, or
    several by the names that ``expression`` has for them. ``ALARMS=essential`` leaves the ``essential`` rows.
    """

    name: str
    description: str
    metrics: Metric | Mapping[str, Metric]
    expression: str = ""
    threshold: float = 0
    minutes: int = 1
    datapoints: int | None = None
    missing: bool = False
    essential: bool = False
    condition: str = "AllAlarms"

    @property
    def runbook(self) -> str:
        """The place of the alarm's section in the runbook."""
        return f"{RUNBOOK}#{self.name.lower()}"

    @property
    def paid_metrics(self) -> int:
        return 1 if isinstance(self.metrics, Metric) else len(self.metrics)

    def resource(self) -> dict[str, Any]:
        """Return the alarm as a resource of the template."""
        properties = {
            "AlarmActions": _ACTIONS,
            "AlarmDescription": f"{self.description} See {self.runbook}.",
            "EvaluationPeriods": self.minutes,
            "DatapointsToAlarm": self.datapoints or self.minutes,
            "Threshold": self.threshold,
            "ComparisonOperator": "LessThanThreshold" if self.missing else "GreaterThanThreshold",
            "TreatMissingData": "breaching" if self.missing else "notBreaching",
            **self._watched(),
        }
        condition = {} if self.essential else {"Condition": self.condition}
        return {"Type": "AWS::CloudWatch::Alarm", **condition, "Properties": properties}

    def _watched(self) -> dict[str, Any]:
        if not isinstance(self.metrics, Metric):
            result = {"Id": "result", "Expression": self.expression, "Label": self.name, "ReturnData": True}
            return {"Metrics": [result, *(_query(name, metric) for name, metric in self.metrics.items())]}
        statistic = self.metrics.statistic
        kind = "ExtendedStatistic" if statistic.startswith("p") else "Statistic"
        return {**_named(self.metrics), kind: statistic, "Period": 60}


def total(*metrics: Metric) -> dict[str, Any]:
    """The ``metrics`` and ``expression`` of a row that adds metrics up.

    ``FILL`` counts a metric without data as 0. It does so for the newest minute too, whose data may still come, so a
    row with ``FILL`` must ring by fewer ``datapoints`` than it has ``minutes``.
    """
    named = {f"m{number}": metric for number, metric in enumerate(metrics, 1)}
    return {"metrics": named, "expression": " + ".join(f"FILL({name}, 0)" for name in named)}


def template(alarms: tuple[Alarm, ...]) -> dict[str, Any]:
    """Return the part of the template with the alarms."""
    return {"Conditions": _CONDITIONS, "Resources": {alarm.name: alarm.resource() for alarm in alarms}}


def _named(metric: Metric) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    return {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}


def _query(name: str, metric: Metric) -> dict[str, Any]:
    return {
        "Id": name,
        "MetricStat": {"Metric": _named(metric), "Stat": metric.statistic, "Period": 60},
        "ReturnData": False,
    }
