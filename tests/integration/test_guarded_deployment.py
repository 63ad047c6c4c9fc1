"""Deployments into an emulator's CloudFormation: what is asked, what is refused, what a deleted stack leaves."""

import copy
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.aws.adopt import adopt, real_properties
from infra.aws.approval import NotApprovedError
from infra.aws.changes import Change, changes_table
from infra.aws.deployer import Deployer
from infra.aws.destroy import delete, farewell, inventory, refuse_protected
from infra.aws.package import Package
from infra.aws.retained import SECRET, TABLE, chosen, find_retained
from infra.aws.stack import DeploymentError
from infra.aws.stateful import StatefulError
from infra.aws.template import Template
from infra.errors import InfraError
from infra.local.config import REGION
from tests.support.bare_emulator import bare_emulator

KEEP = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}


def table(key: str = "id") -> dict[str, Any]:
    return {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
    }


TEMPLATE: Template = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Parameters": {"Seconds": {"Type": "String", "Default": "16"}},
    "Resources": {
        "OrdersTable": {"Type": TABLE, **KEEP, "Properties": table()},
        "StreamsTable": {"Type": TABLE, "DeletionPolicy": "Delete", "Properties": table()},
        "OrdersQueue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": {"Ref": "Seconds"}}},
        "AuthSecret": {
            "Type": SECRET,
            **KEEP,
            "Properties": {
                "Description": {"Fn::Sub": "${AWS::StackName}: the secret"},
                "GenerateSecretString": {"PasswordLength": 64},
            },
        },
    },
    "Outputs": {"OrdersTableName": {"Value": {"Ref": "OrdersTable"}}},
}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A session whose clients all reach one emulator."""
    with bare_emulator(tmp_path_factory.mktemp("emulator")) as address:
        yield Session(address)


class Session:
    region_name = REGION

    def __init__(self, address: str) -> None:
        self.address = address
        self._session = boto3.Session("test", "test", region_name=REGION)

    def client(self, service: Any, **options: Any) -> Any:
        create: Any = self._session.client
        return create(service, **options | {"endpoint_url": self.address})


class Stage:
    """A stack with a name of its own, and the templates that are deployed into it."""

    def __init__(self, session: Any, name: str, directory: Path) -> None:
        self.deployer = Deployer(session, session.address, poll_seconds=0.02)
        self.stack = self.deployer.stack(name)
        self.session = session
        self._directory = directory

    def deploy(self, template: Template, parameters: dict[str, str] | None = None, **options: Any) -> dict[str, str]:
        file, code = self._directory / "template.json", self._directory / "code.zip"
        file.write_text(json.dumps(template))
        code.write_bytes(b"code")
        return self.deployer.deploy(self.stack.name, Package(file, code, "digest"), parameters or {}, **options)

    @property
    def tables(self) -> list[str]:
        names: list[str] = self.session.client("dynamodb").list_tables()["TableNames"]
        return [name for name in names if name.startswith(f"{self.stack.name}-")]


@pytest.fixture
def stage(session: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Stage:
    return Stage(session, f"stack{crc32(request.node.name.encode())}", tmp_path)


def without(name: str) -> Template:
    template = copy.deepcopy(TEMPLATE)
    del template["Resources"][name]
    return template | {"Outputs": {}}


def with_key(key: str) -> Template:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["OrdersTable"]["Properties"] = table(key)
    return template


def put(stage: Stage, name: str) -> None:
    stage.session.client("dynamodb").put_item(TableName=name, Item={"id": {"S": "one"}})


def test_the_operator_sees_the_changes_and_a_no_leaves_the_stack_as_it_is(stage: Stage) -> None:
    stage.deploy(TEMPLATE)
    shown: list[str] = []

    def refuse(changes: Sequence[Change]) -> None:
        shown.append(changes_table(changes))
        raise NotApprovedError("no")

    with pytest.raises(NotApprovedError):
        stage.deploy(TEMPLATE, {"Seconds": "20"}, approve=refuse)
    [text] = shown
    head, row = text.splitlines()
    assert head.split() == ["action", "resource", "type", "replaced", "changes"]
    assert row.split()[:4] == ["Modify", "OrdersQueue", "AWS::SQS::Queue", "no"]
    assert "VisibilityTimeout (Seconds)" in row
    assert stage.stack.parameters() == {"Seconds": "16"}
    [executed] = stage.stack.client.list_change_sets(StackName=stage.stack.name)["Summaries"]
    assert executed["ExecutionStatus"] == "EXECUTE_COMPLETE"


def test_a_deployment_that_changes_nothing_still_calls_for_approval_so_that_it_migrates(stage: Stage) -> None:
    stage.deploy(TEMPLATE)
    calls: list[Sequence[Change]] = []
    stage.deploy(TEMPLATE, approve=calls.append)
    assert calls == [[]]


@pytest.mark.parametrize(
    ("wanted", "lost"),
    [
        (with_key("orderId"), "OrdersTable"),
        (without("OrdersTable"), "OrdersTable"),
        (without("AuthSecret"), "AuthSecret"),
    ],
)
def test_an_update_that_loses_a_table_or_the_secret_is_refused_by_name(
    stage: Stage, wanted: Template, lost: str
) -> None:
    name = stage.deploy(TEMPLATE)["OrdersTableName"]
    put(stage, name)
    with pytest.raises(StatefulError, match=f"{lost} would be lost: .*\n.*REPLACE_STATEFUL={lost}"):
        stage.deploy(wanted)
    assert stage.deploy(TEMPLATE)["OrdersTableName"] == name
    assert stage.session.client("dynamodb").scan(TableName=name)["Count"] == 1


def test_an_operator_may_give_a_table_up_in_words_and_its_contents_stay_aside(stage: Stage) -> None:
    name = stage.deploy(TEMPLATE)["OrdersTableName"]
    put(stage, name)
    stage.deploy(without("OrdersTable"), given_up=frozenset({"OrdersTable"}))
    assert "OrdersTable" not in stage.stack.resources()
    assert stage.session.client("dynamodb").scan(TableName=name)["Count"] == 1


def with_indexes(*names: str) -> Template:
    template = copy.deepcopy(TEMPLATE)
    properties = template["Resources"]["OrdersTable"]["Properties"]
    properties["AttributeDefinitions"] += [{"AttributeName": name, "AttributeType": "S"} for name in names]
    properties["GlobalSecondaryIndexes"] = [
        {
            "IndexName": name,
            "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        for name in names
    ]
    return template


def test_a_new_index_is_no_loss(stage: Stage) -> None:
    name = stage.deploy(TEMPLATE)["OrdersTableName"]
    assert stage.deploy(with_indexes("user"))["OrdersTableName"] == name


def broken(name: str = "Broken") -> Template:
    """The template with a resource that CloudFormation cannot create once all others are there: its name is taken."""
    template = copy.deepcopy(TEMPLATE)
    configuration = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    function = {
        "Type": "AWS::CloudFront::Function",
        "Properties": {"Name": "taken", "FunctionCode": "", "FunctionConfig": configuration},
    }
    template["Resources"]["First"] = function
    template["Resources"][name] = function | {"DependsOn": [*TEMPLATE["Resources"], "First"]}
    return template


def test_a_failed_update_names_its_own_failures_alone(stage: Stage) -> None:
    stage.deploy(TEMPLATE)
    for template in (broken("EarlierMistake"), broken()):
        with pytest.raises(DeploymentError) as failed:
            stage.deploy(template)
    assert "Broken: " in str(failed.value)
    assert "EarlierMistake" not in str(failed.value)


def test_a_failed_first_deployment_leaves_no_table(stage: Stage) -> None:
    with pytest.raises(DeploymentError):
        stage.deploy(broken())
    assert stage.tables == []


def test_the_tables_of_a_deleted_stack_come_back_with_what_they_contain(stage: Stage) -> None:
    name = stage.deploy(TEMPLATE)["OrdersTableName"]
    put(stage, name)
    secret = stage.stack.resources(SECRET)["AuthSecret"]
    found = inventory(stage.stack)
    assert {one for _, one in found.left.values()} == {name, secret}
    assert found.deleted == {TABLE: 1, "AWS::SQS::Queue": 1}
    assert f"OrdersTable  {TABLE}" in found.report()
    delete(stage.stack, poll_seconds=0.02)
    assert stage.tables == [name]
    clients = stage.session.client("dynamodb"), stage.session.client("secretsmanager")
    left = find_retained(stage.stack.name, TEMPLATE, *clients)
    assert left["OrdersTable"] == [name]
    assert f":{secret}" in left["AuthSecret"][0]
    # The emulator's CloudFormation takes tables back, but no secrets.
    dynamodb = clients[0]
    adopt(stage.deployer, stage.stack.name, TEMPLATE, {"OrdersTable": chosen(left, {})["OrdersTable"]}, dynamodb)
    assert stage.deploy(TEMPLATE)["OrdersTableName"] == name
    assert dynamodb.scan(TableName=name)["Count"] == 1


def test_a_table_that_a_newer_release_takes_back_gains_the_index_that_it_lacks(stage: Stage) -> None:
    name = stage.deploy(with_indexes("user"))["OrdersTableName"]
    delete(stage.stack, poll_seconds=0.02)
    wanted = with_indexes("user", "side")
    dynamodb = stage.session.client("dynamodb")
    adopt(stage.deployer, stage.stack.name, wanted, {"OrdersTable": name}, dynamodb)
    assert stage.deploy(wanted)["OrdersTableName"] == name
    indexes = real_properties(dynamodb, name)["GlobalSecondaryIndexes"]
    assert {one["IndexName"] for one in indexes} == {"user", "side"}


def test_a_table_without_expiry_is_taken_back_without_it_and_one_with_expiry_keeps_it(stage: Stage) -> None:
    expiry = {"AttributeName": "expiresAt", "Enabled": True}
    name = stage.deploy(TEMPLATE)["OrdersTableName"]
    dynamodb = stage.session.client("dynamodb")
    assert real_properties(dynamodb, name)["TimeToLiveSpecification"] is None
    dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
    assert real_properties(dynamodb, name)["TimeToLiveSpecification"] == expiry
    delete(stage.stack, poll_seconds=0.02)
    wanted = copy.deepcopy(TEMPLATE)
    wanted["Resources"]["OrdersTable"]["Properties"]["TimeToLiveSpecification"] = expiry
    dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry | {"Enabled": False})
    adopt(stage.deployer, stage.stack.name, wanted, {"OrdersTable": name}, dynamodb)
    assert "TimeToLiveSpecification" not in stage.stack.template()["Resources"]["OrdersTable"]["Properties"]


def test_a_table_with_another_key_is_taken_back_as_it_is_and_no_deployment_replaces_it(stage: Stage) -> None:
    name = stage.deploy(TEMPLATE)["OrdersTableName"]
    delete(stage.stack, poll_seconds=0.02)
    wanted = with_key("orderId")
    adopt(stage.deployer, stage.stack.name, wanted, {"OrdersTable": name}, stage.session.client("dynamodb"))
    with pytest.raises(StatefulError, match="OrdersTable would be lost: KeySchema changes"):
        stage.deploy(wanted)


def test_a_protected_stack_is_deleted_only_by_an_operator_who_says_its_name(stage: Stage) -> None:
    stage.deploy(TEMPLATE)
    stage.deployer.protect(stage.stack.name)
    for environment in ({}, {"UNPROTECT": "yes"}):
        with pytest.raises(InfraError, match=f"UNPROTECT={stage.stack.name}"):
            refuse_protected(stage.stack, environment)
    with pytest.raises(ClientError, match="TerminationProtection"):
        stage.stack.client.delete_stack(StackName=stage.stack.name)
    refuse_protected(stage.stack, {"UNPROTECT": stage.stack.name})
    delete(stage.stack, poll_seconds=0.02)
    assert not stage.stack.exists


def test_the_report_after_a_deletion_says_how_to_remove_what_is_left() -> None:
    left = {"OrdersTable": (TABLE, "t"), "AuthSecret": (SECRET, "arn"), "AccessLogsRole": ("AWS::IAM::Role", "r")}
    text = farewell("dev", "engine-dev", left, "bucket")
    for command in (
        "make adopt STAGE=dev",
        "delete-table --table-name t",
        "delete-secret --secret-id arn",
        "op=remove,path=/cloudwatchRoleArn",
        "detach-role-policy --role-name r --policy-arn arn:aws:iam::aws:policy/service-role/AmazonAPIGateway",
        "delete-role --role-name r",
        "s3://bucket/engine-dev/",
    ):
        assert command in text


def test_an_interrupted_command_says_that_cloudformation_goes_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.deploy(TEMPLATE)

    def wait(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stage.stack.client, "get_waiter", lambda _: SimpleNamespace(wait=wait))
    monkeypatch.setattr(stage.stack.client, "execute_change_set", lambda **_: None)
    with pytest.raises(KeyboardInterrupt):
        stage.deployer.execute(stage.stack.name, "UPDATE", "arn:change-set")
    assert f"CloudFormation goes on with {stage.stack.name}." in capsys.readouterr().err
    with pytest.raises(KeyboardInterrupt):
        delete(stage.stack)
    assert f"CloudFormation goes on with {stage.stack.name}." in capsys.readouterr().err


def test_the_bucket_keeps_the_objects_of_the_last_deployment_and_those_of_other_stages(
    session: Any, tmp_path: Path
) -> None:
    one, other = (Stage(session, name, tmp_path) for name in ("bucket-one", "bucket-other"))
    other.deploy(TEMPLATE)
    for template in (TEMPLATE, without("StreamsTable"), TEMPLATE):
        one.deploy(template, given_up=frozenset({"StreamsTable"}))
    bucket = one.deployer.bucket()
    found = session.client("s3").list_objects_v2(Bucket=bucket.name)["Contents"]
    names = sorted(item["Key"].split("/")[0] for item in found if item["Key"].startswith("bucket-"))
    assert names == ["bucket-one"] * 2 + ["bucket-other"] * 2
