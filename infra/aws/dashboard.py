"""The CloudWatch dashboard of a stack. ``dashboard_widgets`` has a row for each of its graphs.

CloudWatch gives an account three dashboards with up to fifty metrics each, and takes 3 USD a month for every further
one; so a stack has one, and ``MAX_METRICS`` bounds it.
"""

import json
from typing import Any

from infra.aws.dashboard_widgets import WIDGETS, Widget
from infra.aws.metrics import Metric

MAX_METRICS = 50
_WIDTH, _HEIGHT, _COLUMNS = 8, 6, 24
_RUNBOOK = (
    "**{stack}** orders and their promises. An alarm names its section of `docs/runbook.md` in the repository, which "
    "says what it means, where to look and what to do; "
    "[alarms](https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:?search={stack}). "
    "The runbook also says how to follow one order by its `traceId`."
)


def template() -> dict[str, Any]:
    """Return the part of the template with the dashboard."""
    # Dashboards belong to an account, not to a region.
    name = {"Fn::Sub": "${AWS::StackName}-${AWS::Region}"}
    properties = {"DashboardName": name, "DashboardBody": {"Fn::Sub": json.dumps(body())}}
    return {"Resources": {"Dashboard": {"Type": "AWS::CloudWatch::Dashboard", "Properties": properties}}}


def body() -> dict[str, Any]:
    """The dashboard, with references to resources for CloudFormation to replace."""
    text = _RUNBOOK.format(stack="${AWS::StackName}", region="${AWS::Region}")
    widgets = [{"type": "text", "x": 0, "y": 0, "width": _COLUMNS, "height": 2, "properties": {"markdown": text}}]
    for number, widget in enumerate(WIDGETS):
        row, column = divmod(number, _COLUMNS // _WIDTH)
        place = {"x": column * _WIDTH, "y": 2 + row * _HEIGHT, "width": _WIDTH, "height": _HEIGHT}
        widgets.append({"type": "metric", **place, "properties": _graph(widget)})
    return {"widgets": widgets}


def _graph(widget: Widget) -> dict[str, Any]:
    return {
        "title": widget.title,
        "view": "timeSeries",
        "region": "${AWS::Region}",
        "period": 60,
        "metrics": [_line(label, metric) for label, metric in widget.metrics],
        "yAxis": {"left": {"label": widget.unit, "showUnits": False, "min": 0}},
    }


def _line(label: str, metric: Metric) -> list[Any]:
    dimensions = [text for name, value in metric.dimensions for text in (name, _substituted(value))]
    return [metric.namespace, metric.name, *dimensions, {"label": label, "stat": metric.statistic}]


def _substituted(value: Any) -> str:
    """The value of a dimension as a part of a ``Fn::Sub``."""
    if isinstance(value, str):
        return value
    return str(value["Fn::Sub"]) if "Fn::Sub" in value else f"${{{value['Ref']}}}"
