"""The caller of a use case: a user and the scopes that the caller's credential grants."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.errors import MissingScopeError

#: The user of a request that names none.
ANONYMOUS = "anonymous"


class Scope(StrEnum):
    """The rights of a caller: see orders, place and change orders, or operate the engine for all users."""

    READ = "read"
    TRADE = "trade"
    OPERATE = "operate"


@dataclass(frozen=True, slots=True)
class Caller:
    """A user with scopes. ``operate`` includes the orders of every user."""

    user_id: str
    scopes: frozenset[Scope]

    def require(self, scope: Scope) -> None:
        """:raises MissingScopeError: if the caller's credential does not grant the scope."""
        if scope not in self.scopes:
            raise MissingScopeError(scope.value)

    def may_access(self, user_id: str) -> bool:
        """True if the caller may see and change the orders of this user."""
        return user_id == self.user_id or Scope.OPERATE in self.scopes


def unrestricted(user_id: str | None = None) -> Caller:
    """The caller of a deployment without authentication: the user that the request names, with every scope."""
    return Caller(user_id or ANONYMOUS, frozenset(Scope))
