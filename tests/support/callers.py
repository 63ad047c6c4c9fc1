"""Callers for tests of use cases."""

from chalicelib.domain.identity import Caller, Scope, unrestricted

#: A caller with every scope, as in a deployment without authentication.
ANYONE = unrestricted()


def a_caller(user_id: str, *scopes: Scope) -> Caller:
    """A caller with the given scopes; ``read`` and ``trade`` by default."""
    return Caller(user_id, frozenset(scopes or (Scope.READ, Scope.TRADE)))
