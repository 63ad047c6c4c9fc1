"""The caller that the claims of a JWT name. The signature, the issuer and the audience are checked before."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.errors import ExpiredCredentialError, InvalidCredentialError
from chalicelib.domain.identity import Caller, Credential, Scope, is_user_id, known_scopes

#: How far the issuer's clock may differ from ours.
_SKEW_SECONDS = 60
_MAX_TIME = datetime.max.replace(microsecond=0, tzinfo=UTC).timestamp()
#: Begins the user id that is made from a claim's digest.
_DIGEST_PREFIX = "sub:"


def caller_of_claims(claims: Mapping[str, Any], user_claim: str, now: datetime) -> Caller:
    """The caller, whose user is the text of ``user_claim``.

    :raises InvalidCredentialError: if a claim is missing, of a wrong type or in the future.
    """
    expires_at = _time(claims, "exp")
    if any(name in claims and _time(claims, name) > now.timestamp() + _SKEW_SECONDS for name in ("nbf", "iat")):
        raise InvalidCredentialError
    return Caller(user_of(claims.get(user_claim)), scopes_of(claims), Credential("", int(expires_at)))


def require_unexpired(caller: Caller, now: datetime) -> None:
    """:raises ExpiredCredentialError: if the caller's credential has expired, by the skew at least."""
    expires_at = caller.credential.expires_at if caller.credential else None
    if expires_at is not None and now.timestamp() >= expires_at + _SKEW_SECONDS:
        raise ExpiredCredentialError


def user_of(subject: object) -> str:
    """The user id for a subject: the subject, or a digest of a subject that no user id may be.

    :raises InvalidCredentialError: if the subject is not text, or is empty.
    """
    if not isinstance(subject, str) or not subject:
        raise InvalidCredentialError
    # A subject that looks like a digest could be another subject's user id.
    if is_user_id(subject) and not subject.startswith(_DIGEST_PREFIX):
        return subject
    digest = hashlib.sha256(subject.encode(errors="surrogatepass")).digest()
    return _DIGEST_PREFIX + urlsafe_b64encode(digest).decode().rstrip("=")


def scopes_of(claims: Mapping[str, Any]) -> frozenset[Scope]:
    """The scopes of the engine in ``scope`` (RFC 9068), or in ``scp``, which other issuers use instead."""
    granted = claims.get("scope", claims.get("scp"))
    names = granted.split() if isinstance(granted, str) else granted if isinstance(granted, list) else []
    return known_scopes(names)


def _time(claims: Mapping[str, Any], name: str) -> float:
    """:raises InvalidCredentialError: if the claim is not a number of seconds (RFC 7519, 2: NumericDate)."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_TIME:
        raise InvalidCredentialError
    return value
