"""The last verdict of the doctor, an item of the rate limit's table: small data that a lost table may lose."""

from pynamodb.exceptions import DoesNotExist

from chalicelib.codec.verdicts import verdict_from_json, verdict_to_json
from chalicelib.ports.verdicts import DoctorVerdict
from chalicelib.settings import Settings
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.models import RateLimitItem

_KEY = ("doctor", 0)


class DynamoVerdicts:
    """``Verdicts`` on DynamoDB. The port states what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings) -> None:
        self._item = bound(RateLimitItem, settings.rate_limit_table, connection)

    def last(self) -> DoctorVerdict | None:
        try:
            return verdict_from_json(self._item.get(*_KEY).verdict or "")
        except DoesNotExist:
            return None


def item_of(verdict: DoctorVerdict) -> RateLimitItem:
    """The item that replaces the verdict before."""
    return RateLimitItem(*_KEY, verdict=verdict_to_json(verdict))
