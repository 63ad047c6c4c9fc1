"""The contract of ``RenewableSecrets``, on the fake and on AWS Secrets Manager as moto has it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from chalicelib import secret_store
from chalicelib.ports.secrets import RenewableSecrets, SecretUnavailableError
from chalicelib.secret_store import SecretsManager
from orderengine.testing.fakes.secrets import FakeSecrets
from tests.contract.stores.aws import REGION, settings


@dataclass(frozen=True)
class Kept:
    """Secrets, and a function that sets the value of one."""

    secrets: RenewableSecrets
    put: Callable[[str, str], object]


@dataclass(frozen=True)
class Manager:
    """The adapter on moto, the calls that it made, and a client."""

    secrets: SecretsManager
    calls: list[str]
    client: Any

    def put(self, name: str, value: str) -> None:
        try:
            self.client.put_secret_value(SecretId=name, SecretString=value)
        except self.client.exceptions.ResourceNotFoundException:
            self.client.create_secret(Name=name, SecretString=value)


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    calls: list[str] = []
    with mock_aws():
        client = botocore.session.get_session().create_client("secretsmanager", region_name=REGION)
        session = botocore.session.get_session()
        session.register("before-call.secrets-manager.*", lambda **event: calls.append(event["model"].name))
        yield Manager(SecretsManager(session, settings()), calls, client)


@pytest.fixture(params=["fake", "manager"])
def kept(request: pytest.FixtureRequest) -> Kept:
    if request.param == "manager":
        manager: Manager = request.getfixturevalue("manager")
        return Kept(manager.secrets, manager.put)
    fake = FakeSecrets()
    return Kept(fake, fake.values.__setitem__)


def test_a_secret_is_read_by_its_name_and_again_when_it_changes(kept: Kept) -> None:
    kept.put("one", "first")
    kept.put("two", "other")
    assert (kept.secrets.read("one"), kept.secrets.read("two")) == ("first", "other")
    kept.put("one", "second")
    assert kept.secrets.read_now("one") == "second"
    assert kept.secrets.read("one") == "second"


def test_a_secret_is_read_by_its_arn(manager: Manager) -> None:
    arn = manager.client.create_secret(Name="one", SecretString="first")["ARN"]
    assert manager.secrets.read(arn) == "first"


def test_threads_of_a_process_read_a_secret_once(manager: Manager) -> None:
    manager.put("one", "first")
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(manager.secrets.read, ["one"] * 8)) == {"first"}
    assert manager.calls == ["GetSecretValue"]


def test_after_a_failed_read_the_next_ones_fail_without_a_call(manager: Manager) -> None:
    with pytest.raises(SecretUnavailableError, match="cannot be read"):
        manager.secrets.read("one")
    calls = list(manager.calls)
    for _ in range(5):
        with pytest.raises(SecretUnavailableError, match="a moment ago"):
            manager.secrets.read("one")
    assert manager.calls == calls


def test_a_secret_that_was_missing_is_found_once_it_exists(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_store, "_PAUSE_SECONDS", 0.0)
    for _ in range(2):
        with pytest.raises(SecretUnavailableError, match="the secret one cannot be read"):
            manager.secrets.read("one")
    manager.put("one", "first")
    assert manager.secrets.read("one") == "first"


def test_a_failed_renewal_leaves_the_known_value(manager: Manager) -> None:
    manager.put("one", "first")
    manager.secrets.read("one")
    manager.client.delete_secret(SecretId="one", ForceDeleteWithoutRecovery=True)
    with pytest.raises(SecretUnavailableError):
        manager.secrets.read_now("one")
    assert manager.secrets.read("one") == "first"


@pytest.mark.parametrize("name", ["", "binary"])
def test_a_secret_without_a_name_or_without_text_is_unavailable(manager: Manager, name: str) -> None:
    manager.client.create_secret(Name="binary", SecretBinary=b"1")
    with pytest.raises(SecretUnavailableError):
        manager.secrets.read(name)


def test_a_manager_that_does_not_answer_makes_a_secret_unavailable() -> None:
    nowhere = replace(settings(), aws_endpoint_url="http://127.0.0.1:1", aws_connect_timeout_seconds=0.1)
    session = botocore.session.get_session()
    session.set_credentials("test", "test")
    with pytest.raises(SecretUnavailableError, match="cannot be read"):
        SecretsManager(session, nowhere).read("one")
