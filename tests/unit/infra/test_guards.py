"""What a deployment shows, refuses and asks before it changes anything."""

from typing import Any

import boto3
import pytest

from infra.aws.account_limits import ReservationError, check_reservations
from infra.aws.adopt import named_in, refuse_forgotten
from infra.aws.all_alarms import ALARMS
from infra.aws.approval import NotApprovedError, ask
from infra.aws.bucket import Bucket, BucketError, s3_config
from infra.aws.changes import Change, change_of, changes_table
from infra.aws.interpreter import find_interpreter
from infra.aws.retained import AmbiguousError, chosen
from infra.aws.rollback import NO_ROLLBACK, ROLLBACK_ALARMS, monitored_minutes, rollback_configuration
from infra.aws.stage_parameters import stage_parameters, with_defaults
from infra.aws.stateful import StatefulError, losses_between, losses_of, refuse_losses, replaceable
from infra.errors import InfraError
from infra.project import PYTHON
from infra.settings import InvalidSettingError, parameters_from

TABLE = "AWS::DynamoDB::Table"
SECRET = "AWS::SecretsManager::Secret"


def described(name: str, recreation: str, cause: str = "") -> dict[str, Any]:
    detail: dict[str, Any] = {"Target": {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}}
    return detail | ({"CausingEntity": cause} if cause else {})


def modified(*details: dict[str, Any], replacement: str = "Conditional", kind: str = TABLE) -> Change:
    return change_of(
        {
            "ResourceChange": {
                "Action": "Modify",
                "LogicalResourceId": "OrdersTable",
                "ResourceType": kind,
                "Replacement": replacement,
                "Details": list(details),
            }
        }
    )


# --- the table of changes -----------------------------------------------------------------------------------


def test_the_table_shows_first_what_may_hurt_and_counts_what_is_new() -> None:
    changes = [
        Change("Add", "NewAlarm", "AWS::CloudWatch::Alarm"),
        Change("Add", "OtherAlarm", "AWS::CloudWatch::Alarm"),
        Change("Modify", "RunLooks", "AWS::Lambda::Function", "False", ("Code", "Environment (LogLevel)")),
        Change("Remove", "OldQueue", "AWS::SQS::Queue"),
        Change("Modify", "OrdersTable", TABLE, "True", ("KeySchema",)),
    ]
    assert changes_table(changes).splitlines() == [
        "action  resource     type                    replaced  changes",
        "Modify  OrdersTable  AWS::DynamoDB::Table    yes       KeySchema",
        "Remove  OldQueue     AWS::SQS::Queue",
        "Modify  RunLooks     AWS::Lambda::Function   no        Code, Environment (LogLevel)",
        "Add     2 new        AWS::CloudWatch::Alarm            NewAlarm, OtherAlarm",
    ]


def test_a_change_names_each_property_once_and_the_parameter_behind_it() -> None:
    change = modified(described("A", "Never", "Size"), described("A", "Never", "Size"), described("B", "Always"))
    assert change.details == ("A (Size)", "B")
    assert change.recreating == ("B",)


# --- tables and secrets -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        Change("Remove", "OrdersTable", TABLE),
        modified(described("KeySchema", "Always"), replacement="True"),
        modified(described("LocalSecondaryIndexes", "Conditionally")),
        modified(described("KmsKeyId", "Conditionally"), kind=SECRET),
    ],
)
def test_a_change_set_that_may_replace_or_remove_a_table_or_secret_is_refused(change: Change) -> None:
    with pytest.raises(StatefulError, match=r"OrdersTable would be lost: [\s\S]*REPLACE_STATEFUL=OrdersTable"):
        refuse_losses(losses_of([change]), frozenset())
    refuse_losses(losses_of([change]), replaceable({"REPLACE_STATEFUL": "Other, OrdersTable"}))


@pytest.mark.parametrize(
    "change",
    [
        # CloudFormation says this of each new index.
        modified(described("AttributeDefinitions", "Conditionally"), described("GlobalSecondaryIndexes", "Never")),
        modified(described("PointInTimeRecoverySpecification", "Never"), replacement="False"),
        Change("Remove", "OldQueue", "AWS::SQS::Queue"),
        Change("Add", "NewTable", TABLE),
    ],
)
def test_other_changes_are_no_loss(change: Change) -> None:
    assert list(losses_of([change])) == []


def stack_of(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Resources": {"One": {"Type": kind, "Properties": properties}}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (stack_of(TABLE, KeySchema=["a"]), stack_of(TABLE, KeySchema=["b"])),
        (stack_of(TABLE), stack_of(TABLE, TableName="named")),
        (stack_of(TABLE), stack_of("AWS::DynamoDB::GlobalTable")),
        (stack_of(TABLE), {"Resources": {}}),
        (
            stack_of(TABLE, AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}]),
            stack_of(TABLE, AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}]),
        ),
        # Each makes a new value, with which no API key fits.
        (stack_of(SECRET, GenerateSecretString={"PasswordLength": 64}), stack_of(SECRET, GenerateSecretString={})),
        (stack_of(SECRET), stack_of(SECRET, SecretString="new")),
    ],
)
def test_templates_show_a_loss_also_where_no_change_set_does(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert [name for name, _ in losses_between(before, after)] == ["One"]
    assert list(losses_between(before, before)) == []


# --- the question -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["y", "Yes", " YES "])
def test_the_operator_says_yes(answer: str) -> None:
    ask("Deploy?", {}, read=lambda _: answer, is_terminal=lambda: True)


@pytest.mark.parametrize("answer", ["", "n", "no", "yess"])
def test_every_other_answer_is_a_no(answer: str) -> None:
    with pytest.raises(NotApprovedError, match=r"Nothing was changed\."):
        ask("Deploy?", {}, read=lambda _: answer, is_terminal=lambda: True)
    with pytest.raises(NotApprovedError, match="The package stays"):
        ask("Deploy?", {}, after_no="The package stays.", read=lambda _: answer, is_terminal=lambda: True)


def test_without_a_terminal_only_yes_1_goes_on() -> None:
    def read(_: str) -> str:
        pytest.fail("there is no terminal")

    ask("Deploy?", {"YES": "1"}, read=read, is_terminal=lambda: False)
    for environment in ({}, {"YES": ""}, {"YES": "no"}):
        with pytest.raises(NotApprovedError, match=r"Deploy\? There is no terminal to ask at: YES=1 says yes"):
            ask("Deploy?", environment, read=read, is_terminal=lambda: False)


# --- rollback -----------------------------------------------------------------------------------------------


def test_alarms_that_ring_before_an_update_do_not_roll_it_back() -> None:
    alarms = [{"AlarmArn": "arn:quiet", "StateValue": "OK"}, {"AlarmArn": "arn:ringing", "StateValue": "ALARM"}]
    assert rollback_configuration(alarms, 5) == {
        "RollbackTriggers": [{"Arn": "arn:quiet", "Type": "AWS::CloudWatch::Alarm"}],
        "MonitoringTimeInMinutes": 5,
    }
    assert rollback_configuration([], 0) == NO_ROLLBACK


def test_the_alarms_that_roll_back_exist_and_cloudformation_takes_so_many() -> None:
    assert set(ROLLBACK_ALARMS) <= {alarm.name for alarm in ALARMS}
    assert len(ROLLBACK_ALARMS) <= 5


def test_the_minutes_after_an_update_suffice_for_each_alarm_that_rolls_it_back() -> None:
    """A metric's minute may be complete two minutes after its end."""
    minutes = {alarm.name: alarm.datapoints or alarm.minutes for alarm in ALARMS}
    default = monitored_minutes(None)
    assert default
    assert default >= max(minutes[name] for name in ROLLBACK_ALARMS) + 1 + 2


def test_the_minutes_of_monitoring_are_a_number_or_none() -> None:
    assert [monitored_minutes(text) for text in (None, "", "0", "180", "none")] == [8, 8, 0, 180, None]
    for text in ("181", "-1", "five", "1.5", "5 "):
        with pytest.raises(InfraError, match="MONITOR_MINUTES="):
            monitored_minutes(text)


# --- the account --------------------------------------------------------------------------------------------


def limits(total: int, unreserved: int) -> dict[str, int]:
    return {"ConcurrentExecutions": total, "UnreservedConcurrentExecutions": unreserved}


def test_an_account_that_cannot_spare_a_reservation_is_named_before_the_stack_is_tried() -> None:
    with pytest.raises(ReservationError, match=r"can reserve 5 more environments, .* take 10"):
        check_reservations(limits(105, 105), {}, {"ProcessorConcurrency": "10"})
    assert check_reservations(limits(110, 110), {}, {"ProcessorConcurrency": "10"}) is None


def test_a_deployment_may_keep_what_the_stack_has_reserved() -> None:
    kept = {"ProcessorConcurrency": "10", "ApiConcurrency": "20"}
    assert check_reservations(limits(130, 100), kept, kept) is None
    assert check_reservations(limits(130, 100), kept, kept | {"ApiConcurrency": "10"}) is None
    with pytest.raises(ReservationError):
        check_reservations(limits(130, 100), kept, kept | {"ApiConcurrency": "21"})


def test_a_new_account_is_told_in_one_sentence_that_it_is_small() -> None:
    remark = check_reservations(limits(10, 10), {}, {"ProcessorConcurrency": ""})
    assert remark is not None
    assert "at most 10 environments" in remark


# --- the values of stage parameters -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("PROCESSOR_CONCURRENCY", "ten", "must be a whole number from 10 to 99999"),
        ("PROCESSOR_CONCURRENCY", "9", "must be a whole number from 10 to 99999"),
        ("API_CONCURRENCY", "x", "must be a whole number from 1 to 99999"),
        # CloudWatch takes these numbers alone, and would refuse another in the middle of an update.
        ("LOG_RETENTION_DAYS", "45", "must be one of 1, 3, 5, 7, 14, 30, 60, 90,"),
        ("API_RATE_LIMIT", "0", "must be a whole number, at least 1"),
        ("API_RATE_LIMIT", "²", "must be a whole number, at least 1"),
        ("TRACING", "yes", "must be one of on, off"),
        ("CERTIFICATE_ARN", "arn:aws:acm:eu-west-1:123456789012:certificate/x", "of a certificate in us-east-1"),
    ],
)
def test_a_value_that_the_template_does_not_take_is_refused_before_anything_is_made(
    variable: str, value: str, problem: str
) -> None:
    with pytest.raises(InvalidSettingError) as refused:
        stage_parameters({variable: value, "ALARMS": "all"})
    assert str(refused.value).startswith(f"{variable}={value!r} ")
    assert problem in str(refused.value)


def test_values_that_the_template_takes_are_given_as_they_are() -> None:
    environment = {"PROCESSOR_CONCURRENCY": "10", "LOG_RETENTION_DAYS": "365", "FRONT_DOOR_DOMAIN": "a.example"}
    assert stage_parameters(environment) == {
        "ProcessorConcurrency": "10",
        "LogRetentionDays": "365",
        "FrontDoorDomain": "a.example",
    }


# --- settings that are taken back ---------------------------------------------------------------------------


def test_none_takes_a_setting_or_stage_parameter_back_to_its_default() -> None:
    template = {"Parameters": {"MaxAttempts": {"Default": ""}, "ApiRateLimit": {"Default": 500}}}
    environment = {"MAX_ATTEMPTS": "none", "API_RATE_LIMIT": "none"}
    given = parameters_from(environment) | stage_parameters(environment)
    assert with_defaults(given, template) == {"MaxAttempts": "", "ApiRateLimit": "500"}
    assert parameters_from({"AUTH": "none"}, local=True)["Auth"] == ""


# --- what earlier stacks left -------------------------------------------------------------------------------


def test_a_first_deployment_beside_retained_tables_is_refused_unless_it_starts_anew_in_words() -> None:
    left = {"OrdersTable": ["app-prod-OrdersTable-1"]}
    with pytest.raises(InfraError, match=r"app-prod-OrdersTable-1.*make adopt STAGE=prod.*NEW_TABLES=yes"):
        refuse_forgotten(left, "prod", {})
    refuse_forgotten(left, "prod", {"NEW_TABLES": "yes"})
    refuse_forgotten({}, "prod", {})


def test_one_of_several_retained_tables_must_be_named() -> None:
    found = {"OrdersTable": ["old", "new"], "AuthSecret": ["arn"]}
    with pytest.raises(AmbiguousError, match="OrdersTable: old, new"):
        chosen(found, {})
    with pytest.raises(AmbiguousError, match="OrdersTable: old, new"):
        chosen(found, {"OrdersTable": "another"})
    with pytest.raises(AmbiguousError, match="LedgerTable: none"):
        chosen(found, named_in("OrdersTable=new,LedgerTable=x"))
    assert chosen(found, named_in("OrdersTable=new")) == {"OrdersTable": "new", "AuthSecret": "arn"}
    for text in ("OrdersTable", "OrdersTable=", "=new"):
        with pytest.raises(InfraError, match="must have the form"):
            named_in(text)


# --- the bucket ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", "s3.amazonaws.com"),
        ("eu-west-1", "s3.eu-west-1.amazonaws.com"),
        ("af-south-1", "s3.af-south-1.amazonaws.com"),
        ("cn-north-1", "s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_address_of_a_template_is_at_the_host_of_its_region(region: str, host: str) -> None:
    client = boto3.Session("test", "test", region_name=region).client("s3", config=s3_config(None))
    bucket = Bucket(client, "123456789012", region)
    assert bucket.address("stack/x.json") == f"https://{bucket.name}.{host}/stack/x.json"


class Owned:
    """S3's client, which records every call, and whose buckets are this account's or another's."""

    def __init__(self, status: int) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._status = status

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.calls.append((name, request))
            if name.startswith("head_"):
                from botocore.exceptions import ClientError

                raise ClientError({"ResponseMetadata": {"HTTPStatusCode": self._status}}, name)  # type: ignore[typeddict-item]

        return call


def test_every_call_names_the_owner_of_the_bucket() -> None:
    client = Owned(404)
    bucket = Bucket(client, "123456789012", "eu-west-1")
    bucket.ensure()
    key = bucket.keep_code("stack", b"code")
    bucket.keep_template("stack", {"Resources": {}})
    assert bucket.keep_code("stack", b"code") == key != bucket.keep_code("stack", b"other")
    calls = {name: request for name, request in client.calls if name != "create_bucket"}
    assert {request["ExpectedBucketOwner"] for request in calls.values()} == {"123456789012"}
    assert {"head_bucket", "put_bucket_lifecycle_configuration", "put_public_access_block"} <= calls.keys()


def test_a_bucket_that_somebody_else_made_under_the_name_is_refused() -> None:
    client = Owned(403)
    with pytest.raises(BucketError, match="is not of the account 123456789012"):
        Bucket(client, "123456789012", "eu-west-1").ensure()
    assert [name for name, _ in client.calls] == ["head_bucket"]


# --- the interpreter ----------------------------------------------------------------------------------------


def test_the_interpreter_of_a_version_is_one_that_runs_and_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_interpreter(PYTHON) is not None
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("infra.aws.interpreter._output", lambda command, version: "")
    assert find_interpreter.__wrapped__("3.99") is None
