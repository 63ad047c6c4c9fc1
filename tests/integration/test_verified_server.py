"""A client whose address says ``verify-full`` sends its password to nobody but the server of that name."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chalicelib.history import address
from chalicelib.history.on_demand import HistoryOnDemand
from chalicelib.ports.history import HistoryUnavailableError
from infra import database
from orderengine.testing.fakes.secrets import FakeSecrets
from orderengine.testing.parts import SETTINGS
from tests.support.certificates import Authority
from tests.support.postgres import PostgresServer
from tests.support.tls import tls_in_front_of


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("the database's own authority")


@pytest.fixture(scope="module")
def url(authority: Authority, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with a certificate of this authority for ``localhost``."""
    parts = urlsplit(postgres.url)
    directory = tmp_path_factory.mktemp("tls")
    with tls_in_front_of(parts.port or 0, authority.server("localhost"), directory) as port:
        yield verifying(postgres.url).replace(f":{parts.port}/", f":{port}/")


def verifying(url: str) -> str:
    """An address of the local server, by its name, which verifies the server."""
    return f"{url.replace('@127.0.0.1', '@localhost')}?sslmode=verify-full"


def trust(patch: pytest.MonkeyPatch, tmp_path: Path, authority: Authority) -> Path:
    """Put the certificate of an authority where a package has those of its deployment."""
    file = tmp_path / "server-ca.pem"
    file.write_bytes(authority.certificate)
    patch.setattr(address, "OWN_CERTIFICATES", file)
    return file


def ping(url: str) -> None:
    """Ask Postgres as a deployed function does."""
    secrets = FakeSecrets()
    secrets.values[SETTINGS.database_secret] = url
    HistoryOnDemand(replace(SETTINGS, aws_endpoint_url=None), secrets).ping()


def test_the_authority_of_the_deployment_proves_the_server(
    url: str, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = trust(monkeypatch, tmp_path, authority)
    ping(url)
    database.check_database(database.verified_url(url, "DATABASE_URL", file))


def test_a_server_of_another_authority_is_refused(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trust(monkeypatch, tmp_path, Authority("somebody else's authority"))
    with pytest.raises(HistoryUnavailableError, match="certificate verify failed"):
        ping(url)


def test_the_public_authorities_vouch_for_no_server_with_a_certificate_of_its_own(url: str) -> None:
    with pytest.raises(HistoryUnavailableError, match="certificate verify failed"):
        ping(url)
    with pytest.raises(database.DatabaseError, match=r"certificate verify failed.*CA_BUNDLE=") as refused:
        database.check_database(url)
    assert str(urlsplit(url).password) not in str(refused.value)


def test_a_server_of_another_name_is_refused(
    url: str, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trust(monkeypatch, tmp_path, authority)
    with pytest.raises(HistoryUnavailableError, match=r'does not match host name "127\.0\.0\.1"'):
        ping(url.replace("@localhost", "@127.0.0.1"))


def test_a_server_without_tls_is_refused(postgres: PostgresServer) -> None:
    with pytest.raises(HistoryUnavailableError, match="server does not support SSL"):
        ping(verifying(postgres.url))


@pytest.mark.parametrize("mode", ["disable", "prefer", "require", "verify-ca"])
def test_a_deployed_function_uses_no_address_that_leaves_the_server_unproved(url: str, mode: str) -> None:
    with pytest.raises(HistoryUnavailableError, match=r"write sslmode=verify-full, as in postgresql://"):
        ping(url.replace("verify-full", mode))
