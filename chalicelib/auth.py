"""The caller of a request. Without authentication, the engine believes the user that a request names and grants every
scope.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.identity import Caller, unrestricted


def caller_of(fields: Mapping[str, Any]) -> Caller:
    """The caller of a request with these body fields or query parameters.

    A ``userId`` that is not text names no caller; the validation of the request reports it.
    """
    user_id = fields.get("userId")
    return unrestricted(user_id if isinstance(user_id, str) else None)


def caller_of_connection(connection_id: str) -> Caller:
    """The caller that opened a WebSocket connection."""
    return unrestricted()
