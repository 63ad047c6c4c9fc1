"""An issuer is believed only by its own, protected, timely and bounded answers."""

import json
import socket
import ssl
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from chalicelib.auth.issuer import Issuer
from chalicelib.auth.jwt_tokens import JwtVerifier
from chalicelib.domain.errors import InvalidCredentialError
from chalicelib.ports.authentication import IssuerUnavailableError
from orderengine.testing.fakes.clock import FakeClock
from tests.support.issuer import DISCOVERY_PATH, KEYS_PATH, Answer, LocalIssuer
from tests.unit.auth.conftest import Keys


@pytest.fixture
def short_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.auth.issuer._TIMEOUT_SECONDS", 0.1)


def document(content: object) -> Answer:
    return Answer(json.dumps(content).encode())


def own_certificate(chain: Path) -> ssl.SSLContext:
    """A server's context with a certificate for 127.0.0.1 that it signs itself, which is written to ``chain``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain.write_bytes(certificate.public_bytes(Encoding.PEM))
    private = chain.with_name("key.pem")
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, private)
    return context


def keys_of(url: str) -> list[object]:
    return Issuer(url, time.monotonic).fetch_keys()


def test_the_keys_are_those_that_the_discovery_document_leads_to(issuer: LocalIssuer, keys: Keys) -> None:
    assert keys_of(issuer.url) == [keys.rsa.jwk, keys.ec.jwk, keys.ed25519.jwk]
    assert issuer.asked == [DISCOVERY_PATH, KEYS_PATH]


def test_the_identifier_of_an_issuer_may_end_with_a_slash(issuer: LocalIssuer) -> None:
    issuer.answers[DISCOVERY_PATH] = document({"issuer": issuer.url + "/", "jwks_uri": issuer.url + KEYS_PATH})
    assert len(keys_of(issuer.url + "/")) == 3


@pytest.mark.parametrize("path", [DISCOVERY_PATH, KEYS_PATH])
@pytest.mark.parametrize(
    "answer",
    [
        Answer(b""),
        Answer(b"<html>"),
        Answer(b"\xff\xfe"),
        Answer(b"[]"),
        Answer(b"{}"),
        Answer(b"[" * 100_000),
        Answer(b'{"issuer": 1, "jwks_uri": 1, "keys": {}}'),
        Answer(b"{}", 500),
        Answer(b"{}", 404),
        Answer(b"{}", 204),
        Answer(b"{", headers={"Content-Length": "2"}),
        Answer(b'{"keys": []}' + b" " * 300_000),
    ],
    ids=["empty", "html", "binary", "list", "object", "deep", "types", "500", "404", "204", "cut", "large"],
)
def test_an_issuer_that_answers_nonsense_is_unavailable(
    path: str, answer: Answer, issuer: LocalIssuer, short_time_out: None
) -> None:
    issuer.answers[path] = answer
    with pytest.raises(IssuerUnavailableError):
        keys_of(issuer.url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("path", [DISCOVERY_PATH, KEYS_PATH])
def test_a_redirect_is_not_followed(status: int, path: str, issuer: LocalIssuer) -> None:
    issuer.answers["/elsewhere"] = issuer.answer_to(path)
    issuer.answers[path] = Answer(b"", status, {"Location": issuer.url + "/elsewhere"})
    with pytest.raises(IssuerUnavailableError, match=str(status)):
        keys_of(issuer.url)
    assert "/elsewhere" not in issuer.asked


def test_a_discovery_document_of_another_issuer_is_refused(issuer: LocalIssuer) -> None:
    for other in ("https://issuer.invalid", issuer.url + "/", issuer.url.upper(), None, [issuer.url]):
        issuer.answers[DISCOVERY_PATH] = document({"issuer": other, "jwks_uri": issuer.url + KEYS_PATH})
        with pytest.raises(IssuerUnavailableError, match="another issuer"):
            keys_of(issuer.url)


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.invalid/keys",
        "http://127.0.0.1.issuer.invalid/keys",
        "http://127.0.0.1@issuer.invalid/keys",
        "file:///etc/passwd",
        "ftp://127.0.0.1/keys",
        "data:application/json,{}",
        "//127.0.0.1/keys",
        "/keys",
        "http://[",
        "https://",
        "https://issuer.invalid:port/",
        "https://127.0.0.1:1/\n",
        "https://127.0.0.1:1/ü",
        "",
        1,
        None,
    ],
)
def test_keys_at_an_unprotected_or_malformed_address_are_not_fetched(url: object, issuer: LocalIssuer) -> None:
    issuer.answers[DISCOVERY_PATH] = document({"issuer": issuer.url, "jwks_uri": url})
    with pytest.raises(IssuerUnavailableError):
        keys_of(issuer.url)
    assert issuer.asked == [DISCOVERY_PATH]


def test_only_an_issuer_with_a_trusted_certificate_is_believed(
    keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = tmp_path / "certificate.pem"
    with LocalIssuer([keys.rsa], tls=own_certificate(chain)) as issuer:
        with pytest.raises(IssuerUnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
            keys_of(issuer.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(chain))
        assert keys_of(issuer.url) == [keys.rsa.jwk]


def test_an_issuer_without_tls_is_not_asked() -> None:
    with pytest.raises(IssuerUnavailableError, match="not an https address"):
        keys_of("http://issuer.invalid")


def test_an_issuer_that_does_not_answer_in_time_is_unavailable(issuer: LocalIssuer, short_time_out: None) -> None:
    issuer.open.clear()
    with pytest.raises(IssuerUnavailableError, match=r"timed out|no answer within"):
        keys_of(issuer.url)


def test_an_issuer_that_sends_a_header_now_and_then_is_unavailable_in_time(short_time_out: None) -> None:
    is_over = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not is_over.wait(0.02):
                connection.sendall(b"X-More: 1\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        try:
            with pytest.raises(IssuerUnavailableError, match="no answer within"):
                keys_of(f"http://127.0.0.1:{server.getsockname()[1]}")
        finally:
            is_over.set()
            thread.join()


def test_both_documents_of_a_slow_issuer_share_one_time_out(issuer: LocalIssuer) -> None:
    clock = iter((0.0, 0.0, 2.0, 4.0))
    with pytest.raises(IssuerUnavailableError, match="no answer within"):
        Issuer(issuer.url, lambda: next(clock)).fetch_keys()


def test_an_issuer_that_is_away_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(IssuerUnavailableError, match="refused"):
        keys_of(f"http://127.0.0.1:{port}")


def test_tokens_outlast_an_issuer_that_fails_and_follow_its_new_keys(
    issuer: LocalIssuer, verifier: JwtVerifier, clock: FakeClock, keys: Keys
) -> None:
    token = issuer.token("alice", lifetime_seconds=10_000)
    issuer.answers[DISCOVERY_PATH] = Answer(b"", 503)
    with pytest.raises(IssuerUnavailableError):
        verifier.verify(token)
    del issuer.answers[DISCOVERY_PATH]
    clock.sleep(5)
    assert verifier.verify(token).user_id == "alice"
    issuer.answers[KEYS_PATH] = Answer(b"<html>")
    clock.sleep(3_600)
    assert verifier.verify(token).user_id == "alice"
    del issuer.answers[KEYS_PATH]
    issuer.keys = [keys.ec]
    clock.sleep(30)
    assert verifier.verify(issuer.token("bob")).user_id == "bob"
    with pytest.raises(InvalidCredentialError):
        verifier.verify(token)
