"""An authenticator that knows its callers by the header that they send."""

from collections.abc import Sequence

from chalicelib.domain.errors import InvalidCredentialError, MissingCredentialError
from chalicelib.domain.identity import Caller, Credential


class FakeAuthenticator:
    """``Authenticator`` that is on. ``callers`` are those of each header; ``revoked`` has ids of credentials."""

    is_on = True

    def __init__(self, **callers: Caller) -> None:
        self.callers = callers
        self.revoked: set[str] = set()

    def authenticate(self, authorizations: Sequence[str], named_user: str | None = None) -> Caller:
        if not any(authorizations):
            raise MissingCredentialError
        caller = self.callers.get(authorizations[0].removeprefix("Bearer "))
        if caller is None or len(authorizations) > 1:
            raise InvalidCredentialError
        return caller

    def is_live(self, credential: Credential) -> bool:
        return credential.id not in self.revoked
