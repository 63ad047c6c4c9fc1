"""What a JWT says before its signature is checked. Only well-formed tokens load PyJWT and cryptography."""

import json
import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass

from chalicelib.auth.jwks import ALGORITHMS
from chalicelib.domain.errors import InvalidCredentialError

_MAX_TOKEN_LENGTH = 8 * 1024
#: RFC 7515, 7.1: three parts of base64url without padding.
_FORM = re.compile(r"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
#: RFC 9068, 2.1, and the type of issuers that do not follow it. Other types are for other uses (RFC 8725, 3.11).
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})


@dataclass(frozen=True, slots=True)
class JwtHeader:
    algorithm: str
    kid: str | None


def read_header(token: str) -> JwtHeader:
    """:raises InvalidCredentialError: if the token is too long, malformed, or of a form that the engine refuses."""
    form = _FORM.fullmatch(token) if len(token) <= _MAX_TOKEN_LENGTH else None
    if form is None:
        raise InvalidCredentialError
    try:
        header = json.loads(urlsafe_b64decode(form[1] + "=="))
    except (ValueError, RecursionError):
        raise InvalidCredentialError from None
    # A critical extension changes what the token means, and the engine knows none (RFC 7515, 4.1.11).
    if not isinstance(header, dict) or "crit" in header:
        raise InvalidCredentialError
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise InvalidCredentialError
    if not isinstance(kid, str | None) or not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise InvalidCredentialError
    return JwtHeader(algorithm, kid)
