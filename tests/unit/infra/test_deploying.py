"""The order of a deployment: it asks, migrates, updates, completes and tries the stage out, and skips none of it."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from infra.aws import deploy
from infra.aws.approval import NotApprovedError, ask
from infra.aws.changes import Change
from infra.aws.database_secret import DatabaseSecret
from infra.aws.deploy import deploy_to_aws, refuse_slow_starts
from infra.aws.package import Package
from infra.errors import InfraError
from infra.project import ROOT

OUTPUTS = {"FrontDoorUrl": "https://d1.cloudfront.net"}
SECRET = {"Description": {"Fn::Sub": "${AWS::StackName}: the secret"}}
#: The stack keeps all of these, and takes tables and secrets back.
TEMPLATE = {
    "Parameters": {"ApiRateLimit": {"Default": 500}},
    "Resources": {
        "OrdersTable": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain", "Properties": {}},
        "AuthSecret": {"Type": "AWS::SecretsManager::Secret", "DeletionPolicy": "Retain", "Properties": SECRET},
        "AccessLogsRole": {"Type": "AWS::IAM::Role", "DeletionPolicy": "Retain", "Properties": {}},
    },
}
CODE = [Change("Modify", "ProcessOrders", "AWS::Lambda::Function", "False", ("Code",))]


class Recorded:
    """A deployer and its surroundings, which record what happens in which order."""

    region_name = "eu-west-1"
    account = "123456789012"

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.changes: Sequence[Change] = CODE
        self.kept: dict[str, str] = {"DatabaseSecret": "arn:secret"}
        self.given: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.unreserved = 1000
        self.is_new = False

    def client(self, _: str) -> Any:
        limits = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": self.unreserved}
        pages = SimpleNamespace(paginate=lambda **_: [{"TableNames": [], "SecretList": []}])
        return SimpleNamespace(get_account_settings=lambda: {"AccountLimit": limits}, get_paginator=lambda _: pages)

    def outputs(self, _: str) -> dict[str, str] | None:
        return None if self.is_new else OUTPUTS

    def parameters(self, _: str) -> dict[str, str]:
        return self.kept

    def deploy(
        self,
        stack: str,
        packaged: Package,
        parameters: dict[str, str],
        *,
        approve: Callable[[Sequence[Change]], None] | None = None,
        **options: Any,
    ) -> dict[str, str]:
        self.given.append((parameters, options))
        if approve:
            approve(self.changes)
        self.steps.append("update")
        return OUTPUTS

    def protect(self, stack: str) -> None:
        self.steps.append(f"protect {stack}")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Recorded:
    found = Recorded()
    file = tmp_path / "template.json"
    file.write_text(json.dumps(TEMPLATE))
    packaged = Package(file, file, "digest")

    def migrate(_: str) -> list[str]:
        found.steps.append("migrate")
        return []

    replaced = {
        "boto3": SimpleNamespace(Session=lambda: found),
        "Deployer": lambda session: found,
        "database_from": lambda *_: DatabaseSecret("the secret", "postgresql://x", "arn:secret"),
        "checked_address": lambda *_: "postgresql://x",
        "package": lambda *_, **__: packaged,
        "migrate_database": migrate,
        "try_out": lambda stage: found.steps.append(f"try {stage}"),
    }
    for name, value in replaced.items():
        monkeypatch.setattr(deploy, name, value)
    monkeypatch.setattr("sys.stdin", None)
    for name in ("YES", "AUTH", "MONITOR_MINUTES", "PROCESSOR_CONCURRENCY", "REPLACE_STATEFUL", "PUBLIC_WS_URL"):
        monkeypatch.delenv(name, raising=False)
    return found


def test_a_deployment_migrates_after_the_consent_and_before_the_update_and_ends_with_a_trial(
    aws: Recorded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("YES", "1")
    assert deploy_to_aws("prod") == OUTPUTS
    assert aws.steps == ["migrate", "update", "update", "protect order-execution-engine-prod", "try prod"]
    assert "ProcessOrders" in capsys.readouterr().out


def test_without_consent_nothing_is_migrated_or_updated(aws: Recorded) -> None:
    with pytest.raises(NotApprovedError, match="YES=1"):
        deploy_to_aws("prod")
    assert aws.steps == []


def test_a_first_deployment_finds_nothing_of_an_earlier_stack_and_goes_on(
    aws: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YES", "1")
    aws.is_new, aws.kept = True, {}
    deploy_to_aws("dev")
    assert aws.steps == ["migrate", "update", "update", "try dev"]


def test_a_change_set_without_changes_is_not_asked_for_and_the_migrations_run_all_the_same(aws: Recorded) -> None:
    """CloudFormation has one only if it was given the package before: SAM deploys the HTTP API with each."""
    aws.changes = []
    deploy_to_aws("dev")
    assert aws.steps == ["migrate", "update", "update", "try dev"]


def test_the_second_update_sets_what_the_first_creates_and_asks_nothing(
    aws: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YES", "1")
    monkeypatch.setenv("REPLACE_STATEFUL", "OrdersTable")
    deploy_to_aws("prod")
    (_, first), (parameters, second) = aws.given
    assert first == {"given_up": frozenset({"OrdersTable"}), "monitored_minutes": 8}
    assert parameters == {"PublicWsUrl": "wss://d1.cloudfront.net/ws", "DeletionProtection": "on"}
    assert second == {}


def test_there_is_no_second_update_if_the_stack_has_what_it_would_set(
    aws: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YES", "1")
    aws.kept |= {"PublicWsUrl": "wss://d1.cloudfront.net/ws", "DeletionProtection": "on", "Auth": "on"}
    deploy_to_aws("prod")
    assert aws.steps == ["migrate", "update", "protect order-execution-engine-prod", "try prod"]


def test_the_question_names_the_account_and_a_no_says_what_stays(
    aws: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def no(question: str) -> str:
        asked.append(question)
        return "no"

    monkeypatch.setattr(deploy, "ask", partial(ask, read=no, is_terminal=lambda: True))
    monkeypatch.setattr(deploy, "database_from", lambda *_: DatabaseSecret("DATABASE_URL", "postgresql://x"))
    monkeypatch.setattr(deploy, "ensure_secret", lambda *_: "arn:secret")
    with pytest.raises(NotApprovedError, match=r"was not changed\. The package stays .*engine-prod/database-url"):
        deploy_to_aws("prod")
    assert asked == [
        "Deploy these changes to order-execution-engine-prod in eu-west-1 of the account 123456789012? [y/N] "
    ]


def test_the_outputs_are_there_to_set_up_a_domain_by_even_if_the_trial_fails(
    aws: Recorded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: str) -> None:
        raise InfraError("the domain leads nowhere")

    monkeypatch.setenv("YES", "1")
    monkeypatch.setattr(deploy, "try_out", fail)
    with pytest.raises(InfraError, match="leads nowhere"):
        deploy_to_aws("dev")
    assert "FrontDoorUrl  https://d1.cloudfront.net" in capsys.readouterr().out


def test_a_stage_for_trials_is_not_protected(aws: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YES", "1")
    deploy_to_aws("dev")
    assert "DeletionProtection" not in aws.given[1][0]
    assert not [step for step in aws.steps if step.startswith("protect")]


def test_a_reservation_that_the_account_cannot_spare_ends_the_deployment_before_the_package(
    aws: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROCESSOR_CONCURRENCY", "10")
    monkeypatch.setattr(deploy, "package", lambda *_, **__: pytest.fail("the package must not be made"))
    aws.unreserved = 100
    with pytest.raises(InfraError, match="can reserve 0 more environments"):
        deploy_to_aws("prod")


def test_a_package_without_bytecode_is_not_deployed() -> None:
    with pytest.raises(InfraError, match=r"Python 3\.13.*uv python install 3\.13"):
        refuse_slow_starts(Package(ROOT, ROOT, "digest", has_bytecode=False))
    refuse_slow_starts(Package(ROOT, ROOT, "digest"))
