"""The engine trusts a JWT that its issuer signed for it, and no other."""

import base64
import hashlib
import hmac
import json
import logging
import subprocess
import sys
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chalicelib.auth.jwt_tokens import JwtVerifier
from chalicelib.domain.errors import InvalidCredentialError
from chalicelib.domain.identity import Caller, Credential, Scope
from infra.project import ROOT
from orderengine.testing.fakes.clock import FakeClock
from tests.support.issuer import LocalIssuer, SigningKey, ec_key, rsa_key
from tests.unit.auth.conftest import Keys

#: A function's start with an issuer, and the refusal of a malformed token.
_START = """
import sys, time
from chalicelib.auth.jwt_tokens import jwt_verifier
from chalicelib.clock import utc_now
from chalicelib.domain.errors import InvalidCredentialError
verifier = jwt_verifier("https://issuer.invalid", "engine", "sub", time.monotonic, utc_now)
try:
    verifier.verify("e30.e30.e30")
except InvalidCredentialError:
    print(*sorted({"cryptography", "jwt", "json"} & set(sys.modules)))
"""


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def assembled(header: object, claims: object, signature: bytes = b"signature") -> str:
    return ".".join(encoded(part) for part in (json.dumps(header).encode(), json.dumps(claims).encode(), signature))


@pytest.mark.parametrize("name", ["rsa", "ec", "ed25519"])
def test_a_token_that_the_issuer_signs_names_its_caller(
    name: str, keys: Keys, issuer: LocalIssuer, verifier: JwtVerifier
) -> None:
    key: SigningKey = getattr(keys, name)
    claims = issuer.claims("alice", "read", "trade")
    expected = Caller("alice", frozenset({Scope.READ, Scope.TRADE}), Credential("", claims["exp"]))
    assert verifier.verify(key.sign(claims)) == expected


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "e30.e30.e30",
        "é30.e30.e30",
        "\ud800.e30.e30",
        "e30.e30.e30\n",
        "bnVsbA.e30.e30",
        "W10.e30.e30",
        "a" * 9_000,
    ],
)
def test_a_text_that_is_no_jwt_is_refused_without_a_call(
    token: str, issuer: LocalIssuer, verifier: JwtVerifier
) -> None:
    with pytest.raises(InvalidCredentialError):
        verifier.verify(token)
    assert issuer.asked == []


@pytest.mark.parametrize(
    "header",
    [
        *({"alg": spelling} for spelling in ("none", "None", "NONE", "nOnE", "none ", "", "HS256", "RS512", "ES384")),
        *({"alg": value} for value in (None, 0, True, ["RS256"], {"RS256": 1}, "rs256", "RS256\u0000", "PS256")),
        {},
        {"alg": "RS256", "crit": []},
        {"alg": "RS256", "crit": ["b64"], "b64": False},
        {"alg": "RS256", "crit": ["exp"], "exp": 1},
        *({"alg": "RS256", "kid": kid} for kid in (0, True, ["rsa"], {"rsa": 1})),
        *({"alg": "RS256", "kid": "rsa", "typ": kind} for kind in ("logout+jwt", "dpop+jwt", "", 1, ["JWT"], None)),
        {"alg": "RS256", "kid": "x" * 9_000},
        json.loads('{"alg": ' + "[" * 900 + "]" * 900 + "}"),
    ],
)
def test_a_header_that_the_engine_refuses_leads_to_no_call(
    header: dict[str, Any], issuer: LocalIssuer, verifier: JwtVerifier
) -> None:
    claims = issuer.claims("alice")
    for signature in (b"", b"signature"):
        with pytest.raises(InvalidCredentialError):
            verifier.verify(assembled(header, claims, signature))
    assert issuer.asked == []


def test_a_deeply_nested_header_is_refused(verifier: JwtVerifier) -> None:
    deep = encoded(b"[" * 3_000 + b"]" * 3_000)
    with pytest.raises(InvalidCredentialError):
        verifier.verify(f"{deep}.e30.e30")


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"])
def test_the_types_of_access_tokens_are_accepted(
    kind: str, keys: Keys, issuer: LocalIssuer, verifier: JwtVerifier
) -> None:
    assert verifier.verify(keys.rsa.sign(issuer.claims("alice"), {"typ": kind})).user_id == "alice"


def test_a_token_without_a_type_is_accepted(keys: Keys, issuer: LocalIssuer, verifier: JwtVerifier) -> None:
    assert verifier.verify(keys.rsa.sign(issuer.claims("alice"), {"typ": ""})).user_id == "alice"


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
def test_a_mac_with_the_public_key_as_its_secret_is_refused(
    algorithm: str, keys: Keys, issuer: LocalIssuer, verifier: JwtVerifier
) -> None:
    public = keys.rsa.private.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = assembled({"alg": algorithm, "kid": "rsa", "typ": "JWT"}, issuer.claims("alice"), b"").rstrip(".")
    forged = f"{signed}.{encoded(hmac.new(pem, signed.encode(), hashlib.sha256).digest())}"
    with pytest.raises(InvalidCredentialError):
        verifier.verify(forged)


def test_a_token_that_another_key_signs_is_refused(keys: Keys, issuer: LocalIssuer, verifier: JwtVerifier) -> None:
    for forged in (keys.forger.sign(issuer.claims("alice")), assembled({"alg": "RS256", "kid": "rsa"}, {})):
        with pytest.raises(InvalidCredentialError):
            verifier.verify(forged)


def test_a_key_in_the_token_is_never_used(keys: Keys, issuer: LocalIssuer, verifier: JwtVerifier) -> None:
    own = {"jwk": keys.forger.jwk, "jku": "https://attacker.invalid/keys", "x5u": "https://attacker.invalid/chain"}
    with pytest.raises(InvalidCredentialError):
        verifier.verify(keys.forger.sign(issuer.claims("alice"), own))


@pytest.mark.parametrize(
    "kid", ["../../dev/null", "rsa\u0000", "' or '1'='1", "http://attacker.invalid/", "", "RSA", "ec"]
)
def test_a_key_id_is_only_compared(kid: str, keys: Keys, issuer: LocalIssuer, verifier: JwtVerifier) -> None:
    with pytest.raises(InvalidCredentialError):
        verifier.verify(keys.rsa.sign(issuer.claims("alice"), {"kid": kid}))
    assert set(issuer.asked) == {"/.well-known/openid-configuration", "/keys"}


def test_a_key_of_another_curve_verifies_nothing(issuer: LocalIssuer, verifier: JwtVerifier) -> None:
    wide = ec_key("wide", ec.SECP384R1())
    issuer.keys = [wide]
    header = {"alg": "ES256", "kid": "wide"}
    signed = assembled(header, issuer.claims("alice"), b"").rstrip(".")
    assert isinstance(wide.private, ec.EllipticCurvePrivateKey)
    signature = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).sign(signed.encode(), wide.private)
    with pytest.raises(InvalidCredentialError):
        verifier.verify(f"{signed}.{encoded(signature)}")


@pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits long")
def test_a_short_rsa_key_verifies_nothing(issuer: LocalIssuer, verifier: JwtVerifier) -> None:
    issuer.keys = [rsa_key("short", 1024)]
    with pytest.raises(InvalidCredentialError):
        verifier.verify(issuer.token("alice"))


def test_a_token_without_a_key_id_needs_the_only_key_of_its_algorithm(
    keys: Keys, issuer: LocalIssuer, verifier: JwtVerifier, clock: FakeClock
) -> None:
    unnamed = SigningKey(None, "RS256", keys.rsa.private)
    token = unnamed.sign(issuer.claims("alice"))
    assert verifier.verify(token).user_id == "alice"
    issuer.keys.append(SigningKey("second", "RS256", keys.forger.private))
    clock.sleep(601)
    with pytest.raises(InvalidCredentialError):
        verifier.verify(token)


@pytest.mark.parametrize(
    "others",
    [
        *({"aud": audience} for audience in ("another", "", None, [], ["another"], 1, {"order-engine": 1}, [["x"]])),
        {"aud": ["order-engine", 1]},
        *({"iss": issuer} for issuer in ("https://issuer.invalid", "", None)),
    ],
)
def test_a_token_for_another_audience_or_of_another_issuer_is_refused(
    others: dict[str, Any], issuer: LocalIssuer, verifier: JwtVerifier
) -> None:
    with pytest.raises(InvalidCredentialError):
        verifier.verify(issuer.token("alice", **others))


def test_one_of_several_audiences_may_be_the_engine(issuer: LocalIssuer, verifier: JwtVerifier) -> None:
    assert verifier.verify(issuer.token("alice", aud=["another", "order-engine"])).user_id == "alice"


def test_a_verified_token_needs_neither_the_issuer_nor_its_keys_again(
    issuer: LocalIssuer, verifier: JwtVerifier, clock: FakeClock
) -> None:
    token = issuer.token("alice")
    first = verifier.verify(token)
    issuer.keys.clear()
    clock.sleep(29)
    assert verifier.verify(token) is first
    clock.sleep(1)
    assert verifier.verify(token) == first
    assert verifier.verify(token) is not first


def test_neither_errors_nor_logs_contain_a_token(
    keys: Keys, issuer: LocalIssuer, verifier: JwtVerifier, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(InvalidCredentialError) as refused:
        verifier.verify(keys.forger.sign(issuer.claims("alice")))
    assert refused.value.args == ()
    assert refused.value.__suppress_context__
    assert caplog.records == []


def test_a_start_and_a_malformed_token_load_no_cryptography() -> None:
    done = subprocess.run([sys.executable, "-c", _START], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["json"], done.stderr
