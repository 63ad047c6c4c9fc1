"""A deployment changes indexes by updates of their own, where CloudFormation would roll back one update."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from infra.aws.approval import NotApprovedError
from infra.aws.deployer import Approve, Deployer
from infra.aws.index_steps import IndexChangeError
from infra.aws.package import Package
from infra.aws.stack import DeploymentError
from infra.aws.template import Template
from tests.support.tables import names, table, template

STACK = "stack"
REFUSAL = "Cannot perform more than one GSI creation or deletion in a single update"


class Aws:
    """The calls that a deployment makes, with one stack, and with DynamoDB's limit on the indexes of one update."""

    region_name = "eu-west-1"

    def __init__(self) -> None:
        self.template: Template | None = None
        self.status = "CREATE_COMPLETE"
        self.updates: list[dict[str, Any]] = []
        self._planned: dict[str, Any] = {}
        self.changes: list[dict[str, Any]] = []
        self._objects: dict[str, bytes] = {}
        self._events: list[dict[str, str]] = []

    def client(self, name: str, **_: Any) -> Any:
        return self

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": "1"}

    def head_bucket(self, **_: Any) -> None:
        pass

    def head_object(self, **_: Any) -> None:
        pass

    def put_object(self, **request: Any) -> None:
        self._objects[request["Key"]] = request["Body"]

    def generate_presigned_url(self, _: str, **request: Any) -> str:
        return f"{request['Params']['Key']}?signature"

    def delete_change_set(self, **_: Any) -> None:
        pass

    def get_paginator(self, name: str) -> Any:
        pages = {"describe_stack_events": self._events, "describe_change_set": self.changes}
        key = {"describe_stack_events": "StackEvents", "describe_change_set": "Changes"}.get(name, "Contents")
        return SimpleNamespace(paginate=lambda **_: [{key: pages.get(name, [])}])

    def describe_stacks(self, **_: Any) -> dict[str, Any]:
        if self.template is None:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStacks")
        parameters = [{"ParameterKey": name, "ParameterValue": ""} for name in self.template["Parameters"]]
        return {"Stacks": [{"StackStatus": self.status, "Parameters": parameters}]}

    def get_template(self, **request: Any) -> dict[str, Any]:
        assert request["TemplateStage"] == "Original"
        return {"TemplateBody": self.template}

    def create_change_set(self, **update: Any) -> dict[str, str]:
        self._planned = update | {"Template": json.loads(self._objects[update["TemplateURL"]])}
        return {"Id": "changes"}

    def execute_change_set(self, **_: Any) -> None:
        self.updates.append(self._planned)
        after: Template = self._planned["Template"]
        changed = set(names(after)) ^ set(names(self.template)) if self.template else set()
        if len(changed) > 1:
            self._events = [
                {"LogicalResourceId": "Orders", "ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": REFUSAL}
            ]
        else:
            self.template = after

    def get_waiter(self, name: str) -> Any:
        return SimpleNamespace(wait=self._wait)

    def _wait(self, **_: Any) -> None:
        if self._events or self.status.endswith("IN_PROGRESS"):
            raise WaiterError("stack_update_complete", "Waiter encountered a terminal failure state", {})


@pytest.fixture
def aws() -> Aws:
    return Aws()


class Deploying:
    """Deploys templates into ``aws``."""

    def __init__(self, aws: Aws, directory: Path) -> None:
        self._deployer = Deployer(aws)  # type: ignore[arg-type]
        self._directory = directory

    def __call__(self, wanted: Template, approve: Approve | None = None, **parameters: str) -> None:
        file, code = self._directory / "template.json", self._directory / "code.zip"
        file.write_text(json.dumps(wanted))
        code.write_bytes(b"")
        self._deployer.deploy(STACK, Package(file, code, "digest"), parameters, approve=approve)


@pytest.fixture
def deploy(aws: Aws, tmp_path: Path) -> Deploying:
    return Deploying(aws, tmp_path)


def test_a_new_table_has_all_its_indexes_at_once(aws: Aws, deploy: Deploying) -> None:
    deploy(template(Orders=table("a", "b", "c")))
    assert [names(update["Template"]) for update in aws.updates] == [["a", "b", "c"]]


def test_two_more_indexes_take_two_updates_and_one_line(
    aws: Aws, deploy: Deploying, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy(template(Orders=table("a")))
    deploy(template(Orders=table("a", "b", "c")))
    assert [names(update["Template"]) for update in aws.updates] == [["a"], ["a", "b"], ["a", "b", "c"]]
    assert capsys.readouterr().out == (
        "Updating stack first to create the index b of Orders: AWS changes one index of a table per update.\n"
    )


def test_an_update_before_keeps_the_parameters_of_the_deployed_stack(aws: Aws, deploy: Deploying) -> None:
    deploy(template(Orders=table()), Size="7")
    wanted = template(Orders=table("a", "b"))
    wanted["Parameters"]["New"] = {"Type": "String"}
    deploy(wanted, Size="8", New="1")
    _, first, last = aws.updates
    assert first["Parameters"] == [{"ParameterKey": "Size", "UsePreviousValue": True}]
    assert {one["ParameterKey"]: one.get("ParameterValue") for one in last["Parameters"]} == {"Size": "8", "New": "1"}
    assert first["Capabilities"] == last["Capabilities"]


def test_a_deployment_goes_on_where_an_earlier_one_ended(aws: Aws, deploy: Deploying) -> None:
    deploy(template(Orders=table("a")))
    aws.template = template(Orders=table("a", "b"))
    deploy(template(Orders=table("a", "b", "c", "d")))
    assert [names(update["Template"]) for update in aws.updates[1:]] == [["a", "b", "c"], ["a", "b", "c", "d"]]


def test_a_changed_index_is_refused_before_any_update(aws: Aws, deploy: Deploying) -> None:
    deploy(template(Orders=table("a")))
    wanted = template(Orders=table("a", "b", "c"))
    wanted["Resources"]["Orders"]["Properties"]["GlobalSecondaryIndexes"][0]["Projection"] = {"ProjectionType": "ALL"}
    with pytest.raises(IndexChangeError, match="The index a of Orders"):
        deploy(wanted)
    assert len(aws.updates) == 1


def test_an_update_that_outlasts_the_wait_is_told_as_such(
    aws: Aws, deploy: Deploying, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(template(Orders=table("a")))
    execute = aws.execute_change_set

    def begin(**request: Any) -> None:
        execute(**request)
        aws.status = "UPDATE_IN_PROGRESS"

    monkeypatch.setattr(aws, "execute_change_set", begin)
    with pytest.raises(
        DeploymentError, match=r"still at work on stack after 30 minutes\. Deploy again once it is done"
    ):
        deploy(template(Orders=table("a", "b", "c")))


def test_an_operator_who_says_no_keeps_the_indexes_as_they_are(aws: Aws, deploy: Deploying) -> None:
    deploy(template(Orders=table("a")))

    def refuse(_: Any) -> None:
        raise NotApprovedError("no")

    with pytest.raises(NotApprovedError):
        deploy(template(Orders=table("a", "b", "c")), approve=refuse)
    assert aws.template is not None
    assert names(aws.template) == ["a"]
