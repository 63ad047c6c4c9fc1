"""Stream tickets, in the streams table."""

from chalicelib.ports.tickets import Ticket
from chalicelib.settings import Settings
from chalicelib.stores.conditions import take
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.connection_items import caller_of, caller_values
from chalicelib.stores.models import StreamItem


class DynamoTicketStore:
    """``TicketStore`` on DynamoDB. The port states what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings) -> None:
        self._item = bound(StreamItem, settings.streams_table, connection)

    def put(self, ticket: Ticket) -> None:
        self._item(_key(ticket.digest), expires_at=ticket.expires_at, **caller_values(ticket.caller)).save()

    def take(self, digest: str) -> Ticket | None:
        item = take(self._item, _key(digest))
        caller = caller_of(item) if item else None
        if item is None or caller is None:
            return None
        return Ticket(digest, caller, int(item.expires_at or 0))


def _key(digest: str) -> str:
    return f"ticket#{digest}"
