"""The caller of a request: the holder of its credential, or, without authentication, the user that it names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.auth.bearer import bearer_token
from chalicelib.auth.key_text import PREFIX
from chalicelib.auth.key_verifier import KeyVerifier
from chalicelib.clock import Clock
from chalicelib.codec.times import to_seconds
from chalicelib.domain.errors import InvalidCredentialError
from chalicelib.domain.identity import Caller, Credential, unrestricted


class TokenVerifier(Protocol):
    """Checks the tokens of an OIDC issuer."""

    def verify(self, token: str) -> Caller:
        """The user that the token names, with its scopes.

        :raises UnauthenticatedError: if the token is not valid, or has expired.
        """
        ...


@dataclass(frozen=True, slots=True)
class CredentialAuthenticator:
    """``is_on`` is false in a deployment without authentication, ``tokens`` is ``None`` in one without an issuer."""

    is_on: bool
    keys: KeyVerifier
    tokens: TokenVerifier | None
    now: Clock

    def authenticate(self, authorizations: Sequence[str], named_user: str | None = None) -> Caller:
        """The caller of a request with these values of ``Authorization``.

        ``named_user`` is the user that the request names, who counts without authentication alone.

        :raises MissingCredentialError: if the request has no credential.
        :raises InvalidCredentialError: if it is malformed, forged, unknown or revoked, or if there are several.
        :raises ExpiredCredentialError: if it has expired.
        :raises SecretUnavailableError: if the engine cannot read the secret by which it checks API keys.
        :raises IssuerUnavailableError: if it knows none of the keys by which it checks tokens.
        """
        if not self.is_on:
            return unrestricted(named_user)
        token = bearer_token(authorizations)
        if token.startswith(PREFIX):
            return self.keys.verify(token)
        if self.tokens is not None and token.count(".") == 2:
            return self.tokens.verify(token)
        raise InvalidCredentialError

    def is_live(self, credential: Credential) -> bool:
        """False once the credential has expired, or its API key is revoked or deleted. The answer on a key may be
        half a minute old.
        """
        if credential.has_expired(to_seconds(self.now())):
            return False
        return not credential.id or self.keys.is_live(credential.id)
