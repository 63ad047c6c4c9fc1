"""The waits for events in DynamoDB: one item per counter and window, which expires by TTL."""

from pynamodb.exceptions import DoesNotExist

from chalicelib.ports.event_waits import WINDOW_SECONDS
from chalicelib.settings import Settings
from chalicelib.stores.conditions import update_if
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.models import RateLimitItem

#: DynamoDB must not remove an item before its window ends in every environment, whose clocks differ a little.
_KEPT_SECONDS = 3600


class DynamoWaitCounts:
    """``WaitCounts`` on DynamoDB. The port states what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings) -> None:
        self._item = bound(RateLimitItem, settings.rate_limit_table, connection)

    def begin(self, counter: str, window: int, most: int) -> bool:
        room = most - self._number(counter, window - 1)
        if room <= 0:
            return False
        model = self._item
        actions = [model.taken.add(1), model.expires_at.set(window * WINDOW_SECONDS + _KEPT_SECONDS)]
        has_room = model.taken.does_not_exist() | (model.taken < room)
        return update_if(model(_key(counter), window), actions, has_room)

    def end(self, counter: str, window: int) -> None:
        taken = self._item.taken
        update_if(self._item(_key(counter), window), [taken.add(-1)], taken > 0)

    def _number(self, counter: str, window: int) -> int:
        try:
            return int(self._item.get(_key(counter), window, consistent_read=True).taken or 0)
        except DoesNotExist:
            return 0


def _key(counter: str) -> str:
    return f"waits#{counter}"
