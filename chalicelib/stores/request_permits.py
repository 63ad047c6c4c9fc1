"""The permits of the request rate in DynamoDB: one item per user and window, which expires by TTL."""

from chalicelib.settings import Settings
from chalicelib.stores.conditions import update_if
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.models import RateLimitItem

#: DynamoDB must not remove an item before its window ends in every environment, whose clocks differ a little.
_KEPT_SECONDS = 3600


class DynamoRequestPermits:
    """``RequestPermits`` on DynamoDB. The port states what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings) -> None:
        self._item = bound(RateLimitItem, settings.rate_limit_table, connection)

    def take(self, user_id: str, began_ms: int, number: int, limit: int) -> bool:
        model = self._item
        actions = [model.taken.add(number), model.expires_at.set(began_ms // 1000 + _KEPT_SECONDS)]
        is_left = model.taken.does_not_exist() | (model.taken < limit)
        return update_if(model(f"requests#{user_id}", began_ms), actions, is_left)
