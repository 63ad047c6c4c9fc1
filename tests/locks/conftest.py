"""One stack with authentication and an OIDC issuer, and two users of it."""

from collections.abc import Iterator

import pytest

from chalicelib.domain.identity import Scope
from tests.e2e.client import Client
from tests.support.issuer import AUDIENCE, LocalIssuer, ec_key, rsa_key
from tests.support.locked import WITHOUT_SOCKET_LIMITS, LockedStack, locked_stack


@pytest.fixture(scope="session")
def issuer() -> Iterator[LocalIssuer]:
    with LocalIssuer([rsa_key(), ec_key()]) as issuer:
        yield issuer


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory, issuer: LocalIssuer) -> Iterator[LockedStack]:
    settings = {"AUTH_ISSUER": issuer.url, "AUTH_AUDIENCE": AUDIENCE, **WITHOUT_SOCKET_LIMITS}
    with locked_stack(tmp_path_factory.mktemp("locked"), **settings) as stack:
        yield stack


@pytest.fixture(scope="session")
def alice(locked: LockedStack) -> Client:
    return locked.client(locked.key("alice"))


@pytest.fixture(scope="session")
def bob(locked: LockedStack) -> Client:
    return locked.client(locked.key("bob"))


@pytest.fixture(scope="session")
def operator(locked: LockedStack) -> Client:
    return locked.client(locked.key("operator", *Scope))


@pytest.fixture(scope="session")
def stranger(locked: LockedStack) -> Client:
    return locked.client(None)
