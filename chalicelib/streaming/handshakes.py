"""The caller of a handshake, which brings a ticket in its address or a credential in its headers."""

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.errors import InvalidCredentialError
from chalicelib.domain.identity import Caller
from chalicelib.engine import Engine


def caller_of_handshake(engine: Engine, event: Mapping[str, Any]) -> Caller:
    """The caller of a ``$connect`` event. Without authentication, a handshake may have any ``token``.

    :raises UnauthenticatedError: if the handshake proves no caller, or brings both a ticket and a credential.
    :raises TooManyRequestsError: if the caller has sent too many requests.
    """
    caller = _proven_caller(engine, event)
    engine.request_rate.admit(caller)
    return caller


def _proven_caller(engine: Engine, event: Mapping[str, Any]) -> Caller:
    authorizations = _authorizations(event)
    query: Mapping[str, list[str]] = event.get("multiValueQueryStringParameters") or {}
    tokens = query.get("token", [])
    if not tokens or not engine.authenticator.is_on:
        return engine.authenticator.authenticate(authorizations)
    if len(tokens) > 1 or authorizations:
        raise InvalidCredentialError
    return engine.tickets.take(tokens[0])


def _authorizations(event: Mapping[str, Any]) -> list[str]:
    """All values of the ``Authorization`` headers."""
    headers: Mapping[str, list[str]] = event.get("multiValueHeaders") or {}
    return [value for name, values in headers.items() if name.lower() == "authorization" for value in values]
