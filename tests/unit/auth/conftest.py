"""Keys, which take long to make, and an issuer, a clock and a verifier for each test."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from chalicelib.auth.jwt_tokens import JwtVerifier, jwt_verifier
from orderengine.testing.fakes.clock import FakeClock
from tests.support.issuer import AUDIENCE, LocalIssuer, SigningKey, ec_key, ed25519_key, rsa_key


@dataclass(frozen=True)
class Keys:
    rsa: SigningKey
    ec: SigningKey
    ed25519: SigningKey
    #: Never published. Its key id is that of ``rsa``.
    forger: SigningKey


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys(rsa_key(), ec_key(), ed25519_key(), rsa_key())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def issuer(keys: Keys, clock: FakeClock) -> Iterator[LocalIssuer]:
    with LocalIssuer([keys.rsa, keys.ec, keys.ed25519], now=clock.now) as issuer:
        yield issuer


@pytest.fixture
def verifier(issuer: LocalIssuer, clock: FakeClock) -> JwtVerifier:
    return jwt_verifier(issuer.url, AUDIENCE, "sub", lambda: clock.now().timestamp(), clock.now)
