"""The keys that an OIDC issuer publishes, which its discovery document names (OpenID Connect Discovery 1.0)."""

import json
from collections.abc import Callable
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request

from chalicelib import VERSION
from chalicelib.ports.authentication import IssuerUnavailableError
from chalicelib.threads import threads

#: For both documents together.
_TIMEOUT_SECONDS = 3.0
_MAX_DOCUMENT_BYTES = 256 * 1024
_CHUNK_BYTES = 16 * 1024
#: Some issuers refuse the agent that urllib names.
_HEADERS = {"Accept": "application/json", "User-Agent": f"order-execution-engine/{VERSION}"}
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class Issuer:
    def __init__(self, url: str, monotonic: Callable[[], float]) -> None:
        """``url`` is the issuer's identifier, exactly as its tokens have it in ``iss``."""
        self._url = url
        self._monotonic = monotonic
        # Without a handler of redirects, proxies or other schemes: only the named server answers.
        self._fetching = threads(1, "issuer")
        self._opener = OpenerDirector()
        self._opener.add_handler(HTTPHandler())
        self._opener.add_handler(HTTPSHandler())

    def fetch_keys(self) -> list[object]:
        """The JSON Web Keys as the issuer publishes them, unchecked.

        :raises IssuerUnavailableError: if the issuer is away, slow or unprotected, or answers anything else.
        """
        try:
            # A socket's time-out is for each read, and a server may send a byte now and then.
            return self._fetching.submit(self._fetch_keys).result(timeout=_TIMEOUT_SECONDS)
        except TimeoutError as error:
            raise IssuerUnavailableError(f"{self._url}: no answer within {_TIMEOUT_SECONDS} s") from error

    def _fetch_keys(self) -> list[object]:
        deadline = self._monotonic() + _TIMEOUT_SECONDS
        discovery = self._fetch(f"{self._url.removesuffix('/')}/.well-known/openid-configuration", deadline)
        if discovery.get("issuer") != self._url:
            raise IssuerUnavailableError(f"the discovery document of {self._url} names another issuer")
        keys = self._fetch(discovery.get("jwks_uri"), deadline).get("keys")
        if not isinstance(keys, list):
            raise IssuerUnavailableError(f"the key set of {self._url} has no list of keys")
        return keys

    def _fetch(self, url: object, deadline: float) -> dict[str, Any]:
        try:
            if not isinstance(url, str) or not _is_protected(url):
                raise IssuerUnavailableError(f"{url!r} is not an https address")
            document = json.loads(self._read(url, deadline))
        except (OSError, HTTPException, ValueError, RecursionError) as error:
            raise IssuerUnavailableError(f"{url}: {error!r}") from error
        if not isinstance(document, dict):
            raise IssuerUnavailableError(f"{url}: the answer is not a JSON object")
        return document

    def _read(self, url: str, deadline: float) -> bytes:
        request = Request(url, headers=_HEADERS)  # noqa: S310 - _is_protected checks the scheme
        body = b""
        with self._opener.open(request, timeout=self._seconds_until(deadline)) as response:
            if response.status != 200:
                raise IssuerUnavailableError(f"{url}: status {response.status}")
            # One read could last as long as the server sends a byte now and then.
            while chunk := response.read1(_CHUNK_BYTES):
                body += chunk
                if len(body) > _MAX_DOCUMENT_BYTES:
                    raise IssuerUnavailableError(f"{url}: more than {_MAX_DOCUMENT_BYTES} bytes")
                self._seconds_until(deadline)
        return body

    def _seconds_until(self, deadline: float) -> float:
        """:raises TimeoutError: if none are left."""
        seconds = deadline - self._monotonic()
        if seconds <= 0:
            raise TimeoutError(f"no answer within {_TIMEOUT_SECONDS} s")
        return seconds


def _is_protected(url: str) -> bool:
    """True if nobody on the way can change the answer: TLS protects it, or it does not leave this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _THIS_MACHINE)
