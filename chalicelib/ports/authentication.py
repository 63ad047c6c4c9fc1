"""The check of credentials."""

from collections.abc import Sequence
from typing import Protocol

from chalicelib.domain.identity import Caller, Credential


class IssuerUnavailableError(Exception):
    """The issuer does not give its keys, and none of an earlier answer are usable."""


class Authenticator(Protocol):
    @property
    def is_on(self) -> bool:
        """False for a deployment without authentication."""
        ...

    def authenticate(self, authorizations: Sequence[str], named_user: str | None = None) -> Caller:
        """The caller of a request with these values of ``Authorization``.

        ``named_user`` is the user that the request names, who counts without authentication alone.

        :raises UnauthenticatedError: if they prove no caller.
        :raises SecretUnavailableError: if the secret by which API keys are checked cannot be read.
        :raises IssuerUnavailableError: if the keys by which tokens are checked are not known.
        """
        ...

    def is_live(self, credential: Credential) -> bool:
        """False once the credential has expired or is revoked."""
        ...
