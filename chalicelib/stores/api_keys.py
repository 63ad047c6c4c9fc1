"""API keys in DynamoDB."""

from pynamodb.exceptions import DoesNotExist

from chalicelib.domain.identity import known_scopes
from chalicelib.ports.api_keys import ApiKey
from chalicelib.settings import Settings
from chalicelib.stores.conditions import update_if
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.models import ApiKeyItem


class DynamoApiKeys:
    """``ApiKeys`` on DynamoDB. The port states what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings) -> None:
        self._item = bound(ApiKeyItem, settings.api_keys_table, connection)

    def find(self, key_id: str) -> ApiKey | None:
        try:
            return key_of(self._item.get(key_id, consistent_read=True))
        except DoesNotExist:
            return None

    def note_use(self, key_id: str, at: int, unless_since: int) -> None:
        last_used_at = self._item.last_used_at
        is_older = last_used_at.does_not_exist() | (last_used_at < unless_since)
        update_if(self._item(key_id), [last_used_at.set(at)], self._item.id.exists() & is_older)


def key_of(item: ApiKeyItem) -> ApiKey:
    """The key of an item. A scope of another version of the engine grants nothing."""
    return ApiKey(
        id=item.id,
        user_id=item.user_id,
        scopes=known_scopes(item.scopes),
        digest=item.digest,
        created_at=int(item.created_at),
        expires_at=_whole(item.expires_at),
        revoked_at=_whole(item.revoked_at),
        last_used_at=_whole(item.last_used_at),
    )


def item_of(key: ApiKey) -> ApiKeyItem:
    """The item of a key."""
    return ApiKeyItem(
        key.id,
        user_id=key.user_id,
        scopes={scope.value for scope in key.scopes},
        digest=key.digest,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        last_used_at=key.last_used_at,
    )


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
