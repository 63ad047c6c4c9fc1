"""The cover of the looks, an item of the market table."""

from pynamodb.exceptions import DoesNotExist

from chalicelib.settings import Settings
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.models import MarketItem

_KEY = ("looks", "queued")


class DynamoLookCover:
    """``LookCover`` on DynamoDB. The port states what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings) -> None:
        self._item = bound(MarketItem, settings.market_table, connection)

    def until_ms(self) -> int:
        try:
            return int(self._item.get(*_KEY, consistent_read=True).until or 0)
        except DoesNotExist:
            return 0

    def extend(self, until_ms: int) -> None:
        self._item(*_KEY, until=until_ms).save()
