"""A deployment's database: the secret with its address, its certificates and its network."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from psycopg.conninfo import conninfo_to_dict

from infra.aws import deploy
from infra.aws.certificates import CertificatesError, own_certificates
from infra.aws.database_secret import (
    DatabaseSecret,
    SecretError,
    database_from,
    ensure_secret,
    keep_secret,
    own_secret,
)
from infra.database import DatabaseError, verified_url
from infra.ops.deployment import Deployment, find_deployment
from infra.settings import InvalidSettingError
from tests.support.certificates import Authority

URL = "postgresql://user:hunter2@db.example.com/orders"
VERIFIED = f"{URL}?sslmode=verify-full"
OTHER = VERIFIED.replace("hunter2", "hunter3")
REGION = "us-east-1"


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with mock_aws():
        yield boto3.client("secretsmanager", REGION)


def versions(secrets: Any, name: str) -> int:
    return len(secrets.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"])


# --- the secret ---------------------------------------------------------------------------------------------


def test_an_address_given_as_text_is_kept_in_the_stacks_own_secret(secrets: Any) -> None:
    name = own_secret("engine-prod")
    arn = keep_secret(secrets, name, VERIFIED)
    assert database_from({}, secrets, arn) == DatabaseSecret(f"The secret {arn}", VERIFIED, arn)
    assert keep_secret(secrets, name, OTHER) == arn
    assert database_from({"DATABASE_SECRET": name}, secrets, None).url == OTHER


def test_the_same_address_makes_no_further_version(secrets: Any) -> None:
    for _ in range(3):
        keep_secret(secrets, "one", VERIFIED)
    assert versions(secrets, "one") == 1


def test_a_stages_own_secret_that_was_deleted_with_it_comes_back_with_the_stage(secrets: Any) -> None:
    """The farewell of ``make destroy`` has the command that deletes it."""
    arn = keep_secret(secrets, "one", VERIFIED)
    secrets.delete_secret(SecretId="one")
    assert ensure_secret(secrets, "one", OTHER) == arn
    assert database_from({"DATABASE_SECRET": "one"}, secrets, None).url == VERIFIED
    assert keep_secret(secrets, "one", OTHER) == arn
    assert database_from({"DATABASE_SECRET": "one"}, secrets, None).url == OTHER


def test_the_operators_choice_comes_before_the_deployed_secret(secrets: Any) -> None:
    deployed, chosen = keep_secret(secrets, "one", VERIFIED), keep_secret(secrets, "two", OTHER)
    assert database_from({"DATABASE_SECRET": "two"}, secrets, deployed).arn == chosen
    assert database_from({"DATABASE_URL": URL}, secrets, deployed) == DatabaseSecret("DATABASE_URL", URL)
    assert database_from({"DATABASE_URL": "", "DATABASE_SECRET": ""}, secrets, deployed).arn == deployed


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({}, "DATABASE_SECRET must name the secret"),
        ({"DATABASE_URL": URL, "DATABASE_SECRET": "one"}, "are both set"),
        ({"DATABASE_SECRET": "none"}, "There is no secret none"),
        ({"DATABASE_SECRET": "binary"}, "The secret binary is binary"),
        ({"DATABASE_SECRET": "nonsense"}, "The value of the secret nonsense is not the address of a database"),
    ],
)
def test_a_deployment_without_a_database_is_refused(secrets: Any, environment: dict[str, str], why: str) -> None:
    secrets.create_secret(Name="binary", SecretBinary=b"hunter2")
    secrets.create_secret(Name="nonsense", SecretString="hunter2")
    with pytest.raises(SecretError, match=why) as refused:
        database_from(environment, secrets, None)
    assert "hunter2" not in str(refused.value)


def test_operators_commands_use_the_database_of_the_stack_unless_one_is_given(
    secrets: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = [{"ParameterKey": "DatabaseSecret", "ParameterValue": keep_secret(secrets, "one", VERIFIED)}]
    stack = SimpleNamespace(describe_stacks=lambda **_: {"Stacks": [{"Parameters": parameters}]})
    clients = {"cloudformation": stack, "secretsmanager": secrets}
    monkeypatch.setattr(Deployment, "client", lambda _, service: clients[service])
    assert find_deployment("prod", {}).database_url == VERIFIED
    assert find_deployment("prod", {"DATABASE_URL": OTHER}).database_url == OTHER
    parameters.append({"ParameterKey": "PostgresPooled", "ParameterValue": "on"})
    assert find_deployment("prod", {}).database_url is None
    parameters.pop()
    secrets.delete_secret(SecretId="one", ForceDeleteWithoutRecovery=True)
    assert find_deployment("prod", {}).database_url is None


# --- the server ---------------------------------------------------------------------------------------------


def test_a_deployment_refuses_an_address_that_leaves_the_server_unproved() -> None:
    with pytest.raises(DatabaseError, match=r"^The secret one does not verify the server: write sslmode=verify-full"):
        verified_url(URL, "The secret one")
    with pytest.raises(DatabaseError, match=r"^DATABASE_URL is not the address of a database"):
        verified_url("hunter2", "DATABASE_URL")


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sources of the addresses that a deployment connects to."""
    sources: list[str] = []
    monkeypatch.setattr(deploy, "check_database", lambda url, source: sources.append(source))
    monkeypatch.delenv("DIRECT_DATABASE_URL", raising=False)
    return sources


def test_migrations_use_the_functions_own_address(checked: list[str], tmp_path: Path) -> None:
    database = DatabaseSecret("DATABASE_URL", VERIFIED)
    address = conninfo_to_dict(deploy.checked_address(database, tmp_path, {}))
    assert address == conninfo_to_dict(VERIFIED) | {"sslrootcert": str(tmp_path)}
    assert checked == ["DATABASE_URL"]


def test_migrations_never_go_through_a_pooler(checked: list[str]) -> None:
    with pytest.raises(InvalidSettingError, match="POSTGRES_POOLED=on needs DIRECT_DATABASE_URL"):
        deploy.checked_address(DatabaseSecret("The secret one", VERIFIED), None, {"PostgresPooled": "on"})
    assert checked == []


@pytest.mark.parametrize("in_vpc", [True, False])
def test_migrations_use_the_servers_own_address_behind_a_pooler_or_a_tunnel(
    checked: list[str], monkeypatch: pytest.MonkeyPatch, in_vpc: bool
) -> None:
    database = DatabaseSecret("The secret one", VERIFIED)
    parameters = {"PostgresPooled": "on", "SubnetIds": "subnet-1" if in_vpc else ""}
    monkeypatch.setenv("DIRECT_DATABASE_URL", f"{OTHER}&hostaddr=127.0.0.1")
    address = conninfo_to_dict(deploy.checked_address(database, None, parameters))
    assert (address["password"], address["hostaddr"]) == ("hunter3", "127.0.0.1")
    # The functions' address leads nowhere from here if they are in a network of their own.
    assert checked == ([] if in_vpc else ["The secret one"]) + ["DIRECT_DATABASE_URL"]
    monkeypatch.setenv("DIRECT_DATABASE_URL", URL)
    with pytest.raises(DatabaseError, match=r"^DIRECT_DATABASE_URL does not verify"):
        deploy.checked_address(database, None, parameters)


def test_subnets_and_security_groups_go_together() -> None:
    given = {"SUBNET_IDS": "subnet-1,subnet-2", "SECURITY_GROUP_IDS": "sg-1"}
    assert deploy.network_from(given) == {"SubnetIds": "subnet-1,subnet-2", "SecurityGroupIds": "sg-1"}
    assert deploy.network_from({name: "" for name in given}) == {}
    for name in given:
        with pytest.raises(InvalidSettingError, match="must be set together"):
            deploy.network_from({name: given[name]})


# --- its certificates ---------------------------------------------------------------------------------------


def test_a_bundle_of_certificates_is_checked_before_it_is_packed(tmp_path: Path) -> None:
    authority, file = Authority("the database's own authority"), tmp_path / "bundle.pem"
    file.write_bytes(authority.certificate)
    assert own_certificates({"CA_BUNDLE": str(file)}) == file
    assert own_certificates({}) is None
    for content, why in {
        b"": "must be a PEM file with certificates",
        b"hunter2": "must be a PEM file with certificates",
        authority.certificate + authority.server("localhost").key: "has a private key",
    }.items():
        file.write_bytes(content)
        with pytest.raises(CertificatesError, match=why):
            own_certificates({"CA_BUNDLE": str(file)})
    with pytest.raises(CertificatesError, match=r"cannot be read \(No such file"):
        own_certificates({"CA_BUNDLE": os.fspath(tmp_path / "none")})
