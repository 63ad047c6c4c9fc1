"""The item of a connection, and the caller that the items of connections and tickets carry."""

from typing import Any

from pynamodb.exceptions import DoesNotExist

from chalicelib.domain.identity import Caller, Credential, known_scopes
from chalicelib.ports.streams import Connection
from chalicelib.stores.models import StreamItem


def connection_key(connection_id: str) -> str:
    return f"connection#{connection_id}"


def find_item(model: type[StreamItem], key: str) -> StreamItem | None:
    """The item as the last write left it."""
    try:
        return model.get(key, consistent_read=True)
    except DoesNotExist:
        return None


def connection_of(connection_id: str, item: StreamItem) -> Connection:
    return Connection(
        connection_id,
        coarse=item.coarse == "coarse",
        expires_at=int(item.expires_at or 0),
        caller=caller_of(item),
        subscriptions=frozenset(item.subscriptions or ()),
    )


def caller_values(caller: Caller | None) -> dict[str, Any]:
    """The attributes of a caller; none without authentication."""
    if caller is None:
        return {}
    values: dict[str, Any] = {"user_id": caller.user_id, "scopes": {scope.value for scope in caller.scopes}}
    if credential := caller.credential:
        values |= {"credential": credential.id, "credential_ends_at": credential.expires_at}
    return values


def caller_of(item: StreamItem) -> Caller | None:
    if item.user_id is None:
        return None
    credential = None
    if item.credential is not None:
        ends_at = item.credential_ends_at
        credential = Credential(item.credential, None if ends_at is None else int(ends_at))
    return Caller(item.user_id, known_scopes(item.scopes or ()), credential)
