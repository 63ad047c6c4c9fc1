"""No token, however it is made, verifies unless the issuer signed it as it is, or raises anything but a refusal."""

import json
from contextlib import suppress
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.auth.jwt_tokens import JwtVerifier
from chalicelib.domain.errors import ExpiredCredentialError, InvalidCredentialError
from tests.support.issuer import LocalIssuer, SigningKey
from tests.unit.auth.conftest import Keys

#: Hypothesis runs many examples on one issuer and verifier.
many = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@many
@given(data=st.data())
def test_no_token_with_another_character_verifies(
    data: st.DataObject, keys: Keys, issuer: LocalIssuer, verifier: JwtVerifier
) -> None:
    key: SigningKey = getattr(keys, data.draw(st.sampled_from(["rsa", "ec", "ed25519"])))
    token = key.sign(issuer.claims("alice", "read"))
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(
        st.one_of(st.sampled_from("AZaz09-_.=+/"), st.characters()).filter(lambda one: one != token[at])
    )
    with pytest.raises(InvalidCredentialError):
        verifier.verify(token[:at] + other + token[at + 1 :])


@many
@given(
    claims=st.dictionaries(
        st.sampled_from(["sub", "scope", "scp", "exp", "nbf", "iat", "aud", "iss", "jti", "other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
            max_leaves=5,
        ),
    )
)
def test_no_claim_of_the_issuer_makes_the_verifier_fail(
    claims: dict[str, Any], issuer: LocalIssuer, verifier: JwtVerifier, keys: Keys
) -> None:
    token = jwt.PyJWS().encode(
        json.dumps({**issuer.claims("alice"), **claims}).encode(), keys.ec.private, "ES256", {"kid": "ec"}
    )
    with suppress(InvalidCredentialError, ExpiredCredentialError):
        assert verifier.verify(token).credential


@pytest.mark.parametrize(
    "payload",
    [
        "[" * 2_500 + "]" * 2_500,
        '{"sub":' + "[" * 2_500 + "]" * 2_500 + "}",
        '{"exp":' + "9" * 5_000 + "}",
        '{"exp":1e400}',
        "null",
        '"text"',
        "",
        "\xff",
    ],
)
def test_no_signed_payload_makes_the_verifier_fail(payload: str, keys: Keys, verifier: JwtVerifier) -> None:
    token = jwt.PyJWS().encode(payload.encode("latin-1"), keys.ec.private, "ES256", {"kid": "ec"})
    with pytest.raises(InvalidCredentialError):
        verifier.verify(token)
