"""The operators' command makes, lists and revokes API keys."""

from collections.abc import Iterator
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.auth.key_text import read_key
from chalicelib.domain.errors import InvalidCredentialError
from chalicelib.domain.identity import Scope
from chalicelib.ports.authentication import Authenticator
from infra.aws.template import load_template
from infra.errors import InfraError
from infra.local.first_key import first_key
from infra.ops import keys
from infra.ops.api_key_table import key_table
from infra.ops.deployment import Deployment
from infra.project import ROOT
from tests.support.workbench import a_workbench

REGION = "us-east-1"
BAD_USERS = ("", "al ice", "a" * 65, "\u00e4", "a\n")
BAD_SCOPES = ("", "read,", "read trade", "write", "read,read", "READ")
BAD_LIFETIMES = ("", "90", "d", "0d", "-1d", "1.5h", "9y", "100000d")


@cache
def schema() -> dict[str, Any]:
    table = load_template(ROOT / "infra/aws/resources.yaml")["Resources"]["ApiKeysTable"]["Properties"]
    return {name: table[name] for name in ("BillingMode", "KeySchema", "AttributeDefinitions")}


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """A stack with the table of keys and the secret, in moto."""
    for variable in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    with mock_aws():
        session = boto3.Session("test", "test", region_name=REGION)
        session.client("dynamodb").create_table(TableName="keys", **schema())
        session.client("secretsmanager").create_secret(Name="auth", SecretString="secret")
        replays = session.client("sqs").create_queue(QueueName="replays")["QueueUrl"]
        outputs = {"ApiKeysTableName": "keys", "AuthSecretName": "auth", "ReplayQueueUrl": replays}
        yield Deployment("engine", session, None, outputs, None)


def authenticator_of(deployment: Deployment) -> Authenticator:
    """An engine of this deployment that has read no key yet."""
    bench = a_workbench(auth=True, auth_secret="auth")
    bench.secrets.values["auth"] = "secret"
    for key in key_table(deployment).all():
        bench.api_keys.add(key)
    return bench.engine.authenticator


def run(monkeypatch: pytest.MonkeyPatch, deployment: Deployment, *arguments: str) -> int:
    monkeypatch.setattr(keys, "find_deployment", lambda stage: deployment)
    monkeypatch.setattr("sys.argv", ["keys", *arguments])
    return keys.main()


def test_a_key_is_printed_once_and_alone_and_counts(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, deployment, "create", "--user", "alice", "--scopes", "read,trade") == 0
    text = capsys.readouterr().out.strip()
    caller = authenticator_of(deployment).authenticate([f"Bearer {text}"])
    assert (caller.user_id, set(caller.scopes)) == ("alice", {Scope.READ, Scope.TRADE})
    assert run(monkeypatch, deployment, "list") == 0
    shown = capsys.readouterr().out
    [key] = key_table(deployment).all()
    assert key.id in shown
    assert text[-49:] not in shown
    assert key.digest not in shown
    assert text not in str(list(key_table(deployment).all()))


def test_the_list_shows_who_holds_each_key_and_until_when(deployment: Deployment) -> None:
    keys.create(deployment, "local", "alice", "trade,read", "12h")
    keys.create(deployment, "local", "bob", "operate", None)
    heads, *rows = [line.split() for line in keys.listing(deployment).splitlines()]
    assert heads == ["id", "user", "scopes", "created", "expires", "revoked", "last", "use"]
    alice, bob = sorted(rows, key=lambda row: row[1])
    assert alice[1:3] == ["alice", "read,trade"]
    assert bob[1:3] == ["bob", "operate"]
    assert [row[4:] for row in (alice, bob)] == [[alice[4], "-", "-"], ["-", "-", "-"]]
    assert alice[4] > alice[3]


def test_a_lifetime_is_counted_from_now(deployment: Deployment) -> None:
    for expires, seconds in (("1h", 3600), ("90d", 90 * 86_400)):
        text = keys.create(deployment, "local", "alice", "read", expires)
        key = key_table(deployment).find(read_key(text, "local").id)
        assert key is not None
        assert key.expires_at == key.created_at + seconds


def test_a_revoked_key_counts_no_more_and_its_sockets_are_closed(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    closed: list[tuple[str, str]] = []
    monkeypatch.setattr(keys, "queue_revocation", lambda _, user_id, key_id: closed.append((user_id, key_id)))
    text = keys.create(deployment, "local", "alice", "read", None)
    key_id = read_key(text, "local").id
    assert run(monkeypatch, deployment, "revoke", key_id) == 0
    assert f"{key_id} of alice is revoked since " in capsys.readouterr().err
    assert closed == [("alice", key_id)]
    with pytest.raises(InvalidCredentialError):
        authenticator_of(deployment).authenticate([f"Bearer {text}"])


def test_an_unknown_key_is_named_in_one_line(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, deployment, "revoke", "nonsense") == 2
    assert capsys.readouterr().err == "There is no API key nonsense.\n"


def test_each_bad_argument_has_a_line_of_its_own(deployment: Deployment) -> None:
    for user, scopes, expires in zip_longest(BAD_USERS, BAD_SCOPES, BAD_LIFETIMES, fillvalue=""):
        with pytest.raises(InfraError) as refused:
            keys.create(deployment, "local", user, scopes, expires)
        lines = str(refused.value).splitlines()
        assert [line.split()[0] for line in lines] == ["--user", "--scopes", "--expires"]
    assert not list(key_table(deployment).all())


@pytest.mark.parametrize(
    "arguments",
    [
        *(("create",), ("create", "--user", "a"), ("create", "x", "--user", "a", "--scopes", "read")),
        *(("list", "x"), ("list", "--user", "a"), ("revoke",), ("revoke", "x", "--expires", "1d"), ("delete", "x")),
    ],
)
def test_a_command_that_lacks_an_argument_or_has_one_too_many_is_refused(
    deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, deployment, *arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().out == ""


def test_the_first_key_of_a_local_stack_is_made_once_and_kept_from_others(
    deployment: Deployment, tmp_path: Path
) -> None:
    file = tmp_path / "first-key"
    text = first_key(file, deployment)
    assert first_key(file, deployment) == text
    assert file.read_text() == f"{text}\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert authenticator_of(deployment).authenticate([f"Bearer {text}"]).scopes == set(Scope)
    assert len(list(key_table(deployment).all())) == 1


@pytest.mark.parametrize("lost", ["revoked", "damaged", "forgotten"])
def test_a_first_key_that_no_longer_counts_is_replaced(deployment: Deployment, tmp_path: Path, lost: str) -> None:
    file = tmp_path / "first-key"
    text = first_key(file, deployment)
    key_id = read_key(text, "local").id
    if lost == "revoked":
        keys.revoke(deployment, key_id)
    elif lost == "damaged":
        file.write_text("nonsense")
    else:
        deployment.client("dynamodb").delete_item(TableName="keys", Key={"id": {"S": key_id}})
    assert first_key(file, deployment) != text
    assert first_key(file, deployment) == file.read_text().strip()
