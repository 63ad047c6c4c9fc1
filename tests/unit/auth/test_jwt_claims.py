"""The claims of a JWT: when it is valid, which user it names, and which scopes it grants."""

import hashlib
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.auth.jwt_claims import scopes_of, user_of
from chalicelib.auth.jwt_tokens import JwtVerifier, jwt_verifier
from chalicelib.domain.errors import ExpiredCredentialError, InvalidCredentialError
from chalicelib.domain.identity import Scope, is_user_id
from orderengine.testing.fakes.clock import FakeClock
from tests.support.issuer import AUDIENCE, LocalIssuer
from tests.unit.auth.conftest import Keys


def test_a_token_is_valid_until_a_minute_after_its_expiry(
    issuer: LocalIssuer, verifier: JwtVerifier, clock: FakeClock
) -> None:
    token = issuer.token("alice", lifetime_seconds=100)
    clock.sleep(159)
    assert verifier.verify(token).user_id == "alice"
    clock.sleep(1)
    for _ in range(2):
        with pytest.raises(ExpiredCredentialError):
            verifier.verify(token)


@pytest.mark.parametrize("others", [{"aud": "another"}, {"sub": 1}, {"iat": 10**11}, {"nbf": "never"}])
def test_an_expired_token_that_is_also_wrong_is_only_refused(
    others: dict[str, Any], issuer: LocalIssuer, verifier: JwtVerifier
) -> None:
    with pytest.raises(InvalidCredentialError):
        verifier.verify(issuer.token("alice", lifetime_seconds=-1_000, **others))


def test_a_forged_token_that_is_also_expired_is_only_refused(
    keys: Keys, issuer: LocalIssuer, verifier: JwtVerifier
) -> None:
    with pytest.raises(InvalidCredentialError):
        verifier.verify(keys.forger.sign(issuer.claims("alice", lifetime_seconds=-1_000)))


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_a_token_may_begin_a_minute_from_now_and_no_later(
    name: str, issuer: LocalIssuer, verifier: JwtVerifier, clock: FakeClock
) -> None:
    now = int(clock.now().timestamp())
    assert verifier.verify(issuer.token("alice", **{name: now + 60})).user_id == "alice"
    with pytest.raises(InvalidCredentialError):
        verifier.verify(issuer.token("alice", **{name: now + 61}))


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "value",
    ["1767273600", True, [1], {}, -1, float("inf"), float("nan"), 10**400, 253_402_300_800],
    ids=["text", "bool", "list", "object", "negative", "inf", "nan", "huge", "year-10000"],
)
def test_a_time_that_is_no_number_of_seconds_is_refused(
    name: str, value: Any, issuer: LocalIssuer, verifier: JwtVerifier
) -> None:
    with pytest.raises(InvalidCredentialError):
        verifier.verify(issuer.token("alice", **{name: value}))


def test_a_token_needs_an_expiry(issuer: LocalIssuer, verifier: JwtVerifier) -> None:
    with pytest.raises(InvalidCredentialError):
        verifier.verify(issuer.token("alice", exp=None))


def test_a_fraction_of_a_second_is_a_time(issuer: LocalIssuer, verifier: JwtVerifier, clock: FakeClock) -> None:
    credential = verifier.verify(issuer.token("alice", exp=clock.now().timestamp() + 10.5)).credential
    assert credential is not None
    assert credential.expires_at == int(clock.now().timestamp()) + 10


@pytest.mark.parametrize("subject", [None, "", 1, True, ["alice"], {"alice": 1}])
def test_a_token_needs_a_subject_that_is_text(subject: object, issuer: LocalIssuer, verifier: JwtVerifier) -> None:
    with pytest.raises(InvalidCredentialError):
        verifier.verify(issuer.token("alice", sub=subject))


def test_another_claim_may_name_the_user(issuer: LocalIssuer, clock: FakeClock) -> None:
    by_name = jwt_verifier(issuer.url, AUDIENCE, "username", lambda: clock.now().timestamp(), clock.now)
    assert by_name.verify(issuer.token("4711", username="alice")).user_id == "alice"
    with pytest.raises(InvalidCredentialError):
        by_name.verify(issuer.token("4711"))


@pytest.mark.parametrize("subject", ["alice", "a.b@c-d_e:f", "A" * 64, "google:1", "Sub:x"])
def test_a_subject_that_is_a_user_id_names_the_user(subject: str) -> None:
    assert user_of(subject) == subject


@pytest.mark.parametrize("subject", ["auth0|5f7c", "A" * 65, "alice ", "alice\n", "älice", "\ud800", "sub:x", "sub:"])
def test_any_other_subject_names_the_user_of_its_digest(subject: str) -> None:
    digest = hashlib.sha256(subject.encode(errors="surrogatepass")).digest()
    user = user_of(subject)
    assert user == "sub:" + urlsafe_b64encode(digest).decode()[:43]
    assert is_user_id(user)


@given(st.lists(st.one_of(st.text(min_size=1), st.from_regex(r"[a-z.:@|-]{1,66}", fullmatch=True)), min_size=2))
def test_no_two_subjects_are_one_user(subjects: list[str]) -> None:
    different = {*subjects, *(user_of(subject) for subject in subjects if not is_user_id(subject))}
    assert len({user_of(subject) for subject in different}) == len(different)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"scope": "read trade"}, {"read", "trade"}),
        ({"scope": "openid profile operate"}, {"operate"}),
        ({"scp": "read"}, {"read"}),
        ({"scp": ["read", "trade", 1, None, ["operate"]]}, {"read", "trade"}),
        ({"scope": ["read"]}, {"read"}),
        ({"scope": "read", "scp": ["operate"]}, {"read"}),
        ({"scope": "READ readtrade read,trade"}, set()),
        ({"scope": {"operate": True}}, set()),
        ({"scope": None, "scp": None}, set()),
        ({}, set()),
    ],
)
def test_the_scopes_are_those_of_the_engine(claims: dict[str, Any], expected: set[str]) -> None:
    assert scopes_of(claims) == {Scope(name) for name in expected}
