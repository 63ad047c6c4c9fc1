"""The dashboard shows metrics that AWS and the engine write, of its own stack alone."""

import json
from typing import Any

import pytest

from infra.aws.alarms import RUNBOOK
from infra.aws.dashboard import MAX_METRICS
from infra.aws.dashboard_widgets import WIDGETS
from tests.infrastructure.conftest import Packaged
from tests.support.cloudwatch.alarms import STACK, resolved
from tests.support.cloudwatch.aws_metrics import is_written_by_aws


@pytest.fixture
def body(packaged: Packaged) -> dict[str, Any]:
    [dashboard] = packaged.resources("AWS::CloudWatch::Dashboard").values()
    found: dict[str, Any] = json.loads(resolved(dashboard["DashboardBody"]))
    return found


def lines_of(body: dict[str, Any]) -> list[tuple[str, str, dict[str, str]]]:
    """The namespace, name and dimensions of each line of a graph."""
    graphs = [widget["properties"] for widget in body["widgets"] if widget["type"] == "metric"]
    found = []
    for line in [line for graph in graphs for line in graph["metrics"]]:
        namespace, name, *rest, options = line
        assert options["stat"]
        found.append((namespace, name, dict(zip(rest[::2], rest[1::2], strict=True))))
    return found


def test_every_graph_shows_metrics_that_aws_writes(body: dict[str, Any]) -> None:
    of_aws = [line for line in lines_of(body) if line[0].startswith("AWS/")]
    assert of_aws
    for line in of_aws:
        assert is_written_by_aws(*line), line


def test_every_line_is_of_the_stack_itself(packaged: Packaged, body: dict[str, Any]) -> None:
    own = {*packaged.template["Resources"], STACK}
    for namespace, name, dimensions in lines_of(body):
        assert own & {*dimensions.values()}, (namespace, name)


def test_the_dashboard_is_within_what_an_account_has_for_nothing(body: dict[str, Any]) -> None:
    assert len(lines_of(body)) <= MAX_METRICS


def test_two_stacks_have_two_dashboards(packaged: Packaged) -> None:
    [dashboard] = packaged.resources("AWS::CloudWatch::Dashboard").values()
    assert dashboard["DashboardName"] == {"Fn::Sub": "${AWS::StackName}-${AWS::Region}"}


def test_no_widget_covers_another(body: dict[str, Any]) -> None:
    covered = [
        (x, y)
        for widget in body["widgets"]
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(covered) == len(set(covered))
    assert max(x for x, _ in covered) < 24
    assert len(body["widgets"]) == len(WIDGETS) + 1


def test_the_dashboard_leads_to_the_runbook(body: dict[str, Any]) -> None:
    [text] = [widget["properties"]["markdown"] for widget in body["widgets"] if widget["type"] == "text"]
    assert RUNBOOK in text
    assert STACK in text
