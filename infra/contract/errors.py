"""Errors of the generator of the contract."""

from infra.errors import InfraError


class UndescribedError(InfraError):
    """A route, a field, an event or a code has no words in the contract."""
