"""The caller of a use case: a user and the scopes that the caller's credential grants."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.errors import MissingScopeError

#: The user of a request that names none.
ANONYMOUS = "anonymous"
_USER_ID_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:@-")
_MAX_USER_ID_LENGTH = 64


class Scope(StrEnum):
    """The rights of a caller: see orders, place and change orders, or operate the engine for all users."""

    READ = "read"
    TRADE = "trade"
    OPERATE = "operate"


def known_scopes(names: Collection[str]) -> frozenset[Scope]:
    """The scopes with these names. Names of other systems, or of a later release, grant nothing."""
    return frozenset(scope for scope in Scope if scope.value in names)


@dataclass(frozen=True, slots=True)
class Credential:
    """What proved who the caller is. ``id`` names an API key, and is empty for a token of an OIDC issuer.

    ``expires_at`` is in seconds since the epoch; ``None`` never expires.
    """

    id: str
    expires_at: int | None = None

    def has_expired(self, now: int) -> bool:
        """True at ``now``, in seconds since the epoch, if the credential no longer counts."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Caller:
    """A user with scopes. ``operate`` includes the orders of every user. ``credential``: ``None`` without
    authentication.
    """

    user_id: str
    scopes: frozenset[Scope]
    credential: Credential | None = None

    def require(self, scope: Scope) -> None:
        """:raises MissingScopeError: if the caller's credential does not grant the scope."""
        if scope not in self.scopes:
            raise MissingScopeError(scope.value)

    def may_access(self, user_id: str) -> bool:
        """True if the caller may see and change the orders of this user."""
        return user_id == self.user_id or Scope.OPERATE in self.scopes


def is_user_id(text: str) -> bool:
    """True for 1 to 64 characters of ``A-Z a-z 0-9 _ . : @ -``."""
    return 1 <= len(text) <= _MAX_USER_ID_LENGTH and _USER_ID_CHARACTERS.issuperset(text)


def unrestricted(user_id: str | None = None) -> Caller:
    """The caller of a deployment without authentication: the user that the request names, with every scope."""
    return Caller(user_id or ANONYMOUS, frozenset(Scope))
