"""An OIDC issuer on this machine, for tests and for a local stack with authentication.

``python -m tests.support.issuer`` serves one until Ctrl-C, and prints the settings of the engine and a token.
"""

import argparse
import json
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from chalicelib.clock import Clock, utc_now

AUDIENCE = "order-engine"
DISCOVERY_PATH = "/.well-known/openid-configuration"
KEYS_PATH = "/keys"


@dataclass(frozen=True)
class SigningKey:
    kid: str | None
    algorithm: str
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key as an issuer publishes it."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            members = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        elif isinstance(self.private, ec.EllipticCurvePrivateKey):
            members = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        else:
            members = OKPAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        members.pop("key_ops", None)
        named = {} if self.kid is None else {"kid": self.kid}
        return {**members, **named, "alg": self.algorithm, "use": "sig"}

    def sign(self, claims: dict[str, Any], headers: dict[str, Any] | None = None) -> str:
        named = {} if self.kid is None else {"kid": self.kid}
        return jwt.encode(claims, self.private, self.algorithm, {**named, **(headers or {})})


def rsa_key(kid: str | None = "rsa", bits: int = 2048) -> SigningKey:
    return SigningKey(kid, "RS256", rsa.generate_private_key(65537, bits))


def ec_key(kid: str | None = "ec", curve: ec.EllipticCurve | None = None) -> SigningKey:
    return SigningKey(kid, "ES256", ec.generate_private_key(curve or ec.SECP256R1()))


def ed25519_key(kid: str | None = "ed25519") -> SigningKey:
    return SigningKey(kid, "EdDSA", ed25519.Ed25519PrivateKey.generate())


@dataclass(frozen=True)
class Answer:
    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class LocalIssuer:
    """Publishes ``keys`` and signs with the first of them. The port is free again at the end of the context."""

    def __init__(
        self,
        keys: Sequence[SigningKey],
        *,
        port: int = 0,
        now: Clock = utc_now,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.keys = list(keys)
        #: Given in place of the documents, by path.
        self.answers: dict[str, Answer] = {}
        #: The path of each request so far.
        self.asked: list[str] = []
        #: An answer waits until this is set.
        self.open = threading.Event()
        self.open.set()
        self._now = now
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()

    def claims(self, user: str, *scopes: str, lifetime_seconds: int = 3600, **others: Any) -> dict[str, Any]:
        """The claims of a token of this issuer. A claim of ``others`` that is ``None`` is left out."""
        now = int(self._now().timestamp())
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": user,
            "iat": now,
            "exp": now + lifetime_seconds,
            "scope": " ".join(scopes),
        }
        return {name: value for name, value in {**claims, **others}.items() if value is not None}

    def token(self, user: str, *scopes: str, lifetime_seconds: int = 3600, **others: Any) -> str:
        return self.keys[0].sign(self.claims(user, *scopes, lifetime_seconds=lifetime_seconds, **others))

    def answer_to(self, path: str) -> Answer:
        documents = {
            DISCOVERY_PATH: {"issuer": self.url, "jwks_uri": self.url + KEYS_PATH},
            KEYS_PATH: {"keys": [key.jwk for key in self.keys]},
        }
        if path in self.answers:
            return self.answers[path]
        return Answer(json.dumps(documents[path]).encode()) if path in documents else Answer(b"", 404)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                issuer.open.wait()
                answer = issuer.answer_to(self.path)
                self.send_response(answer.status)
                for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: object) -> None:
                """Print nothing."""

        return Handler


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user", default="alice")
    parser.add_argument("--scopes", default="read trade", help="separated by spaces")
    arguments = parser.parse_args()
    with LocalIssuer([rsa_key(), ec_key(), ed25519_key()], port=arguments.port) as issuer:
        print(f"AUTH=on AUTH_ISSUER={issuer.url} AUTH_AUDIENCE={AUDIENCE} make run", flush=True)
        print(f"Authorization: Bearer {issuer.token(arguments.user, *arguments.scopes.split())}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
